/** The questions before something is changed. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../client.ts';
import type { Details } from '../protocol.ts';
import { joinPath, lastName, parentOf, shownName, shownPermissions } from '../shown.ts';
import { change, tree } from '../state.ts';
import { Dialog } from './dialog.tsx';

export type Action = 'rename' | 'remove' | 'chmod' | 'mkdir';

interface Props {
  readonly action: Action;
  readonly path: string;
  readonly folder: string;
  readonly facts: Details;
  readonly onClose: () => void;
}

export function ActionDialog(props: Props): JSX.Element {
  switch (props.action) {
    case 'rename':
      return <Rename {...props} />;
    case 'remove':
      return <Remove {...props} />;
    case 'chmod':
      return <Mode {...props} />;
    case 'mkdir':
      return <NewFolder {...props} />;
  }
}

function Rename({ path, onClose }: Props): JSX.Element {
  const [name, setName] = useState(lastName(path));
  const folder = parentOf(path);
  return (
    <Dialog
      title="Rename"
      action="Rename"
      disabled={name === '' || name === lastName(path)}
      onClose={onClose}
      onAction={() => {
        void change(() => call('rename', { from: path, to: joinPath(folder, name) }), [folder]).then((done) => {
          if (done) void tree.reveal(joinPath(folder, name));
        });
        onClose();
      }}
    >
      <label>
        New name
        <input type="text" value={name} spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
    </Dialog>
  );
}

function Remove({ path, facts, onClose }: Props): JSX.Element {
  return (
    <Dialog
      title="Delete"
      action="Delete"
      danger
      onClose={onClose}
      onAction={() => {
        void change(() => call('remove', { path }), [parentOf(path)]);
        onClose();
      }}
    >
      <p>
        Delete <bdi class="path">{shownName(path)}</bdi>
        {facts.kind === 'd' ? ' and everything in it' : ''}? The image itself stays as it is: the change is kept aside until you save it.
      </p>
    </Dialog>
  );
}

function Mode({ path, facts, onClose }: Props): JSX.Element {
  const [text, setText] = useState((facts.mode & 0o7777).toString(8).padStart(4, '0'));
  const valid = /^[0-7]{3,4}$/.test(text);
  const mode = valid ? Number.parseInt(text, 8) : 0;
  const flip = (bit: number): void => setText((mode ^ bit).toString(8).padStart(4, '0'));
  return (
    <Dialog
      title="Mode"
      action="Change"
      disabled={!valid}
      onClose={onClose}
      onAction={() => {
        void change(() => call('chmod', { path, mode }), [parentOf(path)]);
        onClose();
      }}
    >
      <label>
        In octal
        <input type="text" inputMode="numeric" value={text} onInput={(event) => setText(event.currentTarget.value)} aria-invalid={!valid} />
      </label>
      <p>
        <code>{valid ? shownPermissions(mode) : 'three or four digits, 0 to 7'}</code>
      </p>
      <table class="bits">
        <thead>
          <tr>
            <td />
            <th scope="col">read</th>
            <th scope="col">write</th>
            <th scope="col">execute</th>
          </tr>
        </thead>
        <tbody>
          {(['owner', 'group', 'others'] as const).map((who, i) => (
            <tr key={who}>
              <th scope="row">{who}</th>
              {[4, 2, 1].map((right) => {
                const bit = right << ((2 - i) * 3);
                return (
                  <td key={right}>
                    <input type="checkbox" aria-label={`${who} ${right}`} checked={(mode & bit) !== 0} onChange={() => flip(bit)} />
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}

function NewFolder({ folder, onClose }: Props): JSX.Element {
  const [name, setName] = useState('');
  return (
    <Dialog
      title="New folder"
      action="Make"
      disabled={name === ''}
      onClose={onClose}
      onAction={() => {
        void change(() => call('mkdir', { path: joinPath(folder, name) }), [folder]);
        onClose();
      }}
    >
      <label>
        Name
        <input type="text" value={name} spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
    </Dialog>
  );
}

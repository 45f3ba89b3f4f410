/** The injection form: what a cloud puts into a guest before it starts. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../client.ts';
import { shownName } from '../shown.ts';
import { change, tree } from '../state.ts';
import { Dialog } from './dialog.tsx';

export function Inject({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [key, setKey] = useState('');
  const [password, setPassword] = useState('');
  const [hostname, setHostname] = useState('');
  const [files, setFiles] = useState<readonly { path: string; file: File }[]>([]);
  const empty = key.trim() === '' && password === '' && hostname.trim() === '' && files.length === 0;
  return (
    <Dialog
      title="Inject"
      action="Inject"
      wide
      disabled={empty}
      onClose={onClose}
      onAction={() => {
        onClose();
        const injection = {
          ...(key.trim() === '' ? {} : { key: key.trim() }),
          ...(password === '' ? {} : { password }),
          ...(hostname.trim() === '' ? {} : { hostname: hostname.trim() }),
          files,
        };
        void change(() => call('inject', injection), []).then(() => tree.refreshAll());
      }}
    >
      <label>
        Public SSH key for root
        <textarea
          rows={3}
          placeholder="ssh-ed25519 AAAA…"
          value={key}
          spellcheck={false}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </label>
      <label>
        New password of root
        <input type="password" autocomplete="new-password" value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
      </label>
      <label>
        Hostname
        <input type="text" value={hostname} spellcheck={false} onInput={(event) => setHostname(event.currentTarget.value)} />
      </label>
      <label>
        Files
        <input
          type="file"
          multiple
          onChange={(event) => {
            const chosen = [...(event.currentTarget.files ?? [])].map((file) => ({ path: `/root/${file.name}`, file }));
            event.currentTarget.value = '';
            setFiles([...files, ...chosen]);
          }}
        />
      </label>
      {files.map(({ path, file }, i) => (
        <label key={`${i}-${file.name}`}>
          {shownName(file.name)} goes to
          <input
            type="text"
            value={path}
            spellcheck={false}
            onInput={(event) => setFiles(files.map((one, j) => (j === i ? { ...one, path: event.currentTarget.value } : one)))}
          />
        </label>
      ))}
    </Dialog>
  );
}

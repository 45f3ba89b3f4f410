/** What differs from the image, and what becomes of it. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../client.ts';
import type { Change, SaveKind } from '../protocol.ts';
import { shownCount, shownName, shownSize } from '../shown.ts';
import {
  change,
  changed,
  chooseTarget,
  complain,
  deliver,
  kept,
  lengthy,
  opened,
  refreshStatistics,
  statistics,
  tab,
  tree,
  version,
} from '../state.ts';
import { Dialog } from './dialog.tsx';
import { Icon, KindIcon } from './icons.tsx';
import { Inject } from './inject.tsx';
import { VirtualList } from './virtual-list.tsx';

const SIGN_NAME = { '+': 'added', '-': 'removed', '=': 'changed' } as const;

export function Changes(): JSX.Element {
  const [found, setFound] = useState<readonly Change[] | undefined>(undefined);
  const [asking, setAsking] = useState<'save' | 'inject' | undefined>(undefined);
  const current = version.value;
  useEffect(() => {
    const controller = new AbortController();
    let all: Change[] = [];
    setFound(undefined);
    call(
      'changes',
      {},
      {
        signal: controller.signal,
        part: (part) => {
          all = [...all, ...part];
          setFound(all);
        },
      },
    ).then(() => {
      setFound(all);
      changed.value = all.length > 0 || (statistics.value.changed > 0 && changed.value);
      void refreshStatistics();
    }, complain);
    return () => controller.abort();
  }, [current]);
  const counts = { '+': 0, '-': 0, '=': 0 };
  for (const { sign } of found ?? []) counts[sign]++;
  const bytes = statistics.value.changed;
  return (
    <main class="changes">
      <div class="toolbar" role="toolbar" aria-label="Changes">
        <button type="button" class="button primary" disabled={bytes === 0} onClick={() => setAsking('save')}>
          <Icon name="save" /> Save…
        </button>
        <button type="button" class="button" onClick={() => setAsking('inject')}>
          <Icon name="key" /> Inject key, password, hostname, files…
        </button>
        <button type="button" class="button" disabled={bytes === 0} onClick={() => void keepHere()}>
          Keep in this browser
        </button>
        <button type="button" class="button danger-text" disabled={bytes === 0} onClick={() => void discard()}>
          <Icon name="bin" /> Discard
        </button>
      </div>
      {kept.value.bytes !== undefined && (
        <p class="note" role="status">
          Changes to this image are kept in this browser ({shownSize(kept.value.bytes)}
          {kept.value.when === undefined ? '' : `, ${new Date(kept.value.when).toLocaleString()}`}).{' '}
          <button type="button" class="link" onClick={() => void bringBack()}>
            Bring them back
          </button>{' '}
          <button
            type="button"
            class="link"
            onClick={() => {
              call('forget', {}).then(() => {
                kept.value = {};
              }, complain);
            }}
          >
            Forget them
          </button>
        </p>
      )}
      <p class="counts" role="status">
        {found === undefined ? (
          'Comparing with the image…'
        ) : found.length === 0 ? (
          bytes === 0 ? (
            'Nothing was changed yet. What you change is kept aside; your file is never written.'
          ) : (
            'No file differs from the image.'
          )
        ) : (
          <>
            <span class="sign added">+{counts['+']}</span> <span class="sign changed">~{counts['=']}</span>{' '}
            <span class="sign removed">−{counts['-']}</span> {shownCount(found.length, 'path differs', 'paths differ')} from the image,{' '}
            {shownSize(bytes)} in changed clusters
          </>
        )}
      </p>
      {found !== undefined && found.length > 0 && (
        <VirtualList
          class="rows-box"
          role="list"
          rowRole="listitem"
          aria-label="Paths that differ"
          count={found.length}
          rowHeight={30}
          row={(index) => {
            const one = found[index];
            if (one === undefined) return null;
            return (
              <button
                type="button"
                class={`result ${SIGN_NAME[one.sign]}`}
                disabled={one.sign === '-'}
                onClick={() => {
                  tab.value = 'files';
                  tree.reveal(one.path).catch(complain);
                }}
              >
                <span class={`sign ${SIGN_NAME[one.sign]}`} role="img" aria-label={SIGN_NAME[one.sign]}>
                  {one.sign === '=' ? '~' : one.sign === '-' ? '−' : '+'}
                </span>
                <KindIcon kind={one.kind} />
                <bdi>{shownName(one.path)}</bdi>
                <span class="quiet">{one.reasons.join(', ')}</span>
              </button>
            );
          }}
        />
      )}
      {asking === 'save' && <Save onClose={() => setAsking(undefined)} />}
      {asking === 'inject' && <Inject onClose={() => setAsking(undefined)} />}
    </main>
  );
}

async function discard(): Promise<void> {
  if (!confirm('Forget all changes?')) return;
  try {
    opened.value = await call('discard', {});
    changed.value = false;
    version.value++;
    await tree.reset();
    await refreshStatistics();
  } catch (error) {
    complain(error);
  }
}

async function keepHere(): Promise<void> {
  await lengthy('Keeping the changes', () => call('keep', {}));
  kept.value = await call('kept', {});
}

async function bringBack(): Promise<void> {
  if (changed.value && !confirm('Replace the changes that are here now?')) return;
  await change(() => lengthy('Bringing the changes back', () => call('restore', {})), []);
  await tree.refreshAll();
}

const KINDS: readonly (readonly [SaveKind, string, string])[] = [
  ['overlay', 'The changes, as a qcow2 overlay', 'Small. Starts in qemu when it lies beside the image, which stays as it is.'],
  ['qcow2', 'The whole disk with the changes, as qcow2', 'Stands alone, without backing files; free space takes none.'],
  ['raw', 'The whole disk with the changes, as raw', 'Byte for byte, as long as the disk.'],
];

function Save({ onClose }: { readonly onClose: () => void }): JSX.Element | null {
  const [kind, setKind] = useState<SaveKind>('overlay');
  const disk = opened.value;
  const [backing, setBacking] = useState(disk?.name.replace(/^.*\//, '') ?? '');
  if (disk === undefined) return null;
  const save = async (): Promise<void> => {
    const stem = disk.name.replace(/^.*\//, '').replace(/\.[^.]*$/, '');
    const target = kind === 'overlay' ? undefined : await chooseTarget(`${stem}-changed.${kind}`, disk.size);
    if (target === false) return;
    const args = { kind, backing, ...(target === undefined ? {} : { target }) };
    deliver(await lengthy('Saving', (part, signal) => call('save', args, { part, signal })));
  };
  return (
    <Dialog
      title="Save"
      action="Save"
      disabled={kind === 'overlay' && backing === ''}
      onClose={onClose}
      onAction={() => {
        onClose();
        void save();
      }}
    >
      <fieldset>
        <legend class="hidden">What to save</legend>
        {KINDS.map(([id, label, note]) => (
          <label class="choice" key={id}>
            <input type="radio" name="kind" value={id} checked={kind === id} onChange={() => setKind(id)} />
            <span>
              <strong>{label}</strong>
              <span class="quiet">{note}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {kind === 'overlay' && (
        <label>
          How the overlay names the image
          <input type="text" value={backing} spellcheck={false} onInput={(event) => setBacking(event.currentTarget.value)} />
        </label>
      )}
    </Dialog>
  );
}

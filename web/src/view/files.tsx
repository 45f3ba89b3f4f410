/** The tree on the left, what is selected on the right. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../client.ts';
import type { Kind } from '../protocol.ts';
import { shownName } from '../shown.ts';
import { change, complain, lengthy, notify, opened, showRoot, tree } from '../state.ts';
import { pathOf } from '../tree-model.ts';
import { Details } from './details.tsx';
import { Icon, KindIcon } from './icons.tsx';
import { Tree } from './tree.tsx';
import { VirtualList } from './virtual-list.tsx';

type Found = readonly (readonly [string, Kind])[];

export function Files(): JSX.Element {
  const [found, setFound] = useState<Found | undefined>(undefined);
  const [open, setOpen] = useState(false);
  const disk = opened.value;
  const node = tree.selected.value;
  if (disk?.root === undefined) {
    return (
      <main class="empty">
        <p>There is no file system on this disk that can be read. The overview says what was found.</p>
      </main>
    );
  }
  const drop = (event: DragEvent): void => {
    if (node === undefined || event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    if ([...event.dataTransfer.items].some((item) => item.webkitGetAsEntry()?.isDirectory === true)) {
      notify('Folders cannot be uploaded here, only files.');
      return;
    }
    const folder = pathOf(node.kind === 'd' ? node : (node.parent ?? tree.root));
    uploadInto(folder, [...event.dataTransfer.files]);
  };
  return (
    <main class={`files ${open ? 'showing' : ''}`}>
      <section class="side" aria-label="Files">
        <div class="side-head">
          <select
            aria-label="What is shown"
            value={disk.root}
            onChange={(event) => {
              setFound(undefined);
              void showRoot(event.currentTarget.value);
            }}
          >
            {disk.roots.map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
          <Search onFound={setFound} />
        </div>
        {found === undefined ? (
          <Tree onOpen={() => setOpen(true)} />
        ) : (
          <Results
            found={found}
            onPick={(path) => {
              setFound(undefined);
              setOpen(true);
              tree.reveal(path).catch(complain);
            }}
          />
        )}
      </section>
      <section class="main" aria-label="Selected file" onDrop={drop} onDragOver={(event) => event.preventDefault()}>
        <button type="button" class="button back" onClick={() => setOpen(false)}>
          <Icon name="back" /> Files
        </button>
        {node === undefined ? <p class="quiet">Nothing is selected.</p> : <Details node={node} key={pathOf(node)} />}
      </section>
    </main>
  );
}

export function uploadInto(folder: string, files: readonly File[]): void {
  if (files.length === 0) return;
  const named = files.map((file) => ({ name: file.name, file }));
  void change(
    () => lengthy('Putting files into the guest', (part, signal) => call('upload', { folder, files: named }, { part, signal })),
    [folder],
  );
}

function Search({ onFound }: { readonly onFound: (found: Found | undefined) => void }): JSX.Element {
  const [text, setText] = useState('');
  const [state, setState] = useState('');
  const running = useRef<AbortController | undefined>(undefined);
  const stop = (): void => {
    running.current?.abort();
    running.current = undefined;
  };
  useEffect(() => stop, []);
  const search = async (): Promise<void> => {
    stop();
    if (text.trim() === '') {
      setState('');
      onFound(undefined);
      return;
    }
    const controller = new AbortController();
    running.current = controller;
    let all: (readonly [string, Kind])[] = [];
    setState('Searching…');
    onFound(all);
    try {
      const { stopped } = await call(
        'search',
        { text: text.trim(), from: '/' },
        {
          signal: controller.signal,
          part: (found) => {
            if (running.current !== controller) return;
            all = [...all, ...found];
            onFound(all);
            setState(`${all.length} found, searching…`);
          },
        },
      );
      if (running.current === controller) setState(stopped ? `The first ${all.length} are shown` : `${all.length} found`);
    } catch (error) {
      complain(error);
    }
  };
  return (
    <search>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          void search();
        }}
      >
        <div class="search-box">
          <Icon name="search" />
          <input
            type="search"
            placeholder="Find by name, * and ? allowed"
            aria-label="Find files by name"
            value={text}
            spellcheck={false}
            onInput={(event) => {
              setText(event.currentTarget.value);
              if (event.currentTarget.value === '') {
                stop();
                setState('');
                onFound(undefined);
              }
            }}
          />
        </div>
        <span class="quiet" role="status">
          {state}
        </span>
      </form>
    </search>
  );
}

function Results({ found, onPick }: { readonly found: Found; readonly onPick: (path: string) => void }): JSX.Element {
  return (
    <VirtualList
      class="rows-box"
      role="list"
      rowRole="listitem"
      aria-label="What was found"
      count={found.length}
      rowHeight={30}
      row={(index) => {
        const [path, kind] = found[index] ?? ['', '?' as const];
        return (
          <button type="button" class="result" onClick={() => onPick(path)}>
            <KindIcon kind={kind} />
            <bdi>{shownName(path)}</bdi>
          </button>
        );
      }}
    />
  );
}

/** The frame: what is open, the views of it, and what the page has to say. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { shownName, shownSize } from '../shown.ts';
import { busy, changed, closeDisk, dismiss, notices, notify, open, opened, statistics, type Tab, tab } from '../state.ts';
import { Changes } from './changes.tsx';
import { Files } from './files.tsx';
import { Icon } from './icons.tsx';
import { Overview } from './overview.tsx';
import { Program } from './program.tsx';
import { Shell } from './shell.tsx';
import { Start } from './start.tsx';

const TABS: readonly (readonly [Tab, string, string])[] = [
  ['overview', 'Overview', 'disk'],
  ['files', 'Files', 'd'],
  ['changes', 'Changes', 'list'],
  ['shell', 'Shell', 'shell'],
  ['program', 'Program', 'run'],
];

type Theme = 'light' | 'dark';

function currentTheme(): Theme {
  const set = document.documentElement.dataset['theme'];
  if (set === 'light' || set === 'dark') return set;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

/** The files that were dropped; none when there is a folder among them, which is told. */
function droppedFiles({ dataTransfer }: DragEvent): File[] {
  const entries = [...(dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry());
  const folder = entries.find((entry) => entry?.isDirectory === true);
  if (folder === undefined || folder === null) return [...(dataTransfer?.files ?? [])];
  notify(`"${folder.name}" is a folder: drop the image itself, and with it the files that it is based on.`);
  return [];
}

export function App(): JSX.Element {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const files = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;
    const enter = (event: DragEvent): void => {
      if (!files(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      setOver(false);
      if (!files(event) || event.defaultPrevented) return;
      event.preventDefault();
      const dropped = droppedFiles(event);
      if (dropped.length === 0) return;
      if (opened.value !== undefined && changed.value && !confirm('Open another image? The changes that were not saved are lost.')) return;
      void open({ files: dropped });
    };
    const unload = (event: BeforeUnloadEvent): void => {
      if (opened.value !== undefined && changed.value) event.preventDefault();
    };
    addEventListener('dragover', enter);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    addEventListener('beforeunload', unload);
    return () => {
      removeEventListener('dragover', enter);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
      removeEventListener('beforeunload', unload);
    };
  }, []);
  const disk = opened.value;
  return (
    <div class={`app ${over ? 'dropping' : ''}`}>
      <Header />
      {disk !== undefined && <Tabs />}
      {busy.value !== undefined && <BusyBar />}
      {disk === undefined ? <Start /> : <View />}
      {disk !== undefined && <Footer />}
      <div class="notices" aria-live="polite">
        {notices.value.map(({ id, text, kind }) => (
          <div key={id} class={`notice ${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
            <bdi>{shownName(text)}</bdi>
            <button type="button" class="icon-button" aria-label="Dismiss" onClick={() => dismiss(id)}>
              <Icon name="close" />
            </button>
          </div>
        ))}
      </div>
    </div>
  );
}

function View(): JSX.Element {
  switch (tab.value) {
    case 'overview':
      return <Overview />;
    case 'files':
      return <Files />;
    case 'changes':
      return <Changes />;
    case 'shell':
      return <Shell />;
    case 'program':
      return <Program />;
  }
}

function Header(): JSX.Element {
  const disk = opened.value;
  const [theme, setTheme] = useState(currentTheme);
  const turn = (): void => {
    const next = theme === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset['theme'] = next;
    localStorage.setItem('theme', next);
    setTheme(next);
  };
  return (
    <header class="top">
      <span class="brand">
        <img src="./icon.svg" alt="" width={26} height={26} />
        guestless
      </span>
      {disk !== undefined && (
        <span class="opened">
          <bdi>{shownName(disk.name.replace(/^.*\//, ''))}</bdi>
          <button
            type="button"
            class="icon-button"
            aria-label="Close the image"
            title="Close the image"
            onClick={() => {
              if (!changed.value || confirm('Close the image? The changes that were not saved are lost.')) closeDisk();
            }}
          >
            <Icon name="close" />
          </button>
        </span>
      )}
      <span class="spring" />
      <span class="badge" title="The image is read by this page on your computer; no byte of it leaves it.">
        <Icon name="shield" /> Nothing is uploaded
      </span>
      <button type="button" class="icon-button" aria-label={`Use ${theme === 'dark' ? 'light' : 'dark'} colours`} onClick={turn}>
        <Icon name="moon" />
      </button>
    </header>
  );
}

function Tabs(): JSX.Element {
  const go = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const at = TABS.findIndex(([id]) => id === tab.value);
    tab.value = TABS[(at + step + TABS.length) % TABS.length]?.[0] ?? 'overview';
    event.preventDefault();
    requestAnimationFrame(() => document.getElementById(`tab-${tab.value}`)?.focus());
  };
  return (
    <div class="tabs" role="tablist" aria-label="Views" onKeyDown={go}>
      {TABS.map(([id, label, icon]) => (
        <button
          type="button"
          key={id}
          id={`tab-${id}`}
          role="tab"
          aria-selected={tab.value === id}
          tabIndex={tab.value === id ? 0 : -1}
          onClick={() => {
            tab.value = id;
          }}
        >
          <Icon name={icon} /> {label}
          {id === 'changes' && changed.value && <span class="mark" title="There are changes that were not saved" />}
        </button>
      ))}
    </div>
  );
}

function BusyBar(): JSX.Element | null {
  const work = busy.value;
  if (work === undefined) return null;
  const { text, progress, stop } = work;
  const done =
    progress === undefined ? '' : `${shownSize(progress.done)}${progress.total === undefined ? '' : ` of ${shownSize(progress.total)}`}`;
  return (
    <div class="busy" role="status">
      <span>
        {text} {done}
      </span>
      {progress?.total !== undefined ? <progress max={progress.total} value={progress.done} /> : <progress />}
      {stop !== undefined && (
        <button type="button" class="link" onClick={stop}>
          Stop
        </button>
      )}
    </div>
  );
}

function Footer(): JSX.Element {
  const { read, requests, changed: bytes } = statistics.value;
  const size = opened.value?.layers.reduce((sum, layer) => sum + layer.fileSize, 0) ?? 0;
  return (
    <footer data-read={read} data-requests={requests}>
      <span>
        {opened.value?.remote === true ? 'Fetched' : 'Read'} <b>{shownSize(read)}</b>
        {read < size ? ` of ${shownSize(size)}` : ''} in {requests.toLocaleString('en')} requests
      </span>
      <span>
        Uploaded <b>0 bytes</b>
      </span>
      {bytes > 0 && (
        <span>
          Changed <b>{shownSize(bytes)}</b>
        </span>
      )}
    </footer>
  );
}

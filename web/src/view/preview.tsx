/** The contents of a file: text, a picture, or bytes. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CallFailed, call } from '../client.ts';
import { parentOf, shownName, shownSize } from '../shown.ts';
import { change, refreshStatistics } from '../state.ts';
import { type Decoded, decodeText } from '../text-encoding.ts';
import { Hex } from './hex.tsx';
import { Icon } from './icons.tsx';
import { VirtualList } from './virtual-list.tsx';

/** Bytes of a text that are shown; those of a file that may be edited. */
const TEXT_LIMIT: number = 1 << 20;
const PICTURE_LIMIT: number = 32 << 20;
/** Characters of a line that are shown. */
const LINE_LIMIT = 2000;
const LINE = 19;

/** Kinds of pictures that are grids of dots: nothing in them can act. */
const PICTURES: readonly (readonly [string, (head: Uint8Array) => boolean])[] = [
  ['image/png', (head) => begins(head, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
  ['image/jpeg', (head) => begins(head, [0xff, 0xd8, 0xff])],
  ['image/gif', (head) => begins(head, [0x47, 0x49, 0x46, 0x38])],
  ['image/webp', (head) => begins(head, [0x52, 0x49, 0x46, 0x46]) && begins(head.subarray(8), [0x57, 0x45, 0x42, 0x50])],
  ['image/bmp', (head) => begins(head, [0x42, 0x4d]) && head[6] === 0 && head[7] === 0],
  ['image/x-icon', (head) => begins(head, [0, 0, 1, 0]) && (head[4] ?? 0) > 0 && head[9] === 0],
  ['image/avif', (head) => begins(head.subarray(4), [0x66, 0x74, 0x79, 0x70, 0x61, 0x76, 0x69, 0x66])],
];

function begins(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

type Shown = 'text' | 'picture' | 'hex' | 'edit';

interface Loaded {
  readonly head: Uint8Array<ArrayBuffer>;
  readonly size: number;
  readonly text: Decoded | undefined;
  readonly lines: readonly string[];
  readonly picture: string | undefined;
}

export function Preview({ path, size, version }: { readonly path: string; readonly size: number; readonly version: number }): JSX.Element {
  const [loaded, setLoaded] = useState<Loaded | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [shown, setShown] = useState<Shown>('hex');
  useEffect(() => {
    const controller = new AbortController();
    call('read', { path, offset: 0, length: TEXT_LIMIT }, { signal: controller.signal }).then(
      ({ bytes, size: whole }) => {
        const text = decodeText(bytes, bytes.length === whole);
        const picture = whole <= PICTURE_LIMIT ? PICTURES.find(([, fits]) => fits(bytes))?.[0] : undefined;
        const lines = text === undefined ? [] : text.text.split(/\r\n|\n|\r/);
        setLoaded({ head: bytes, size: whole, text, lines, picture });
        setProblem(undefined);
        setShown(picture !== undefined ? 'picture' : text !== undefined ? 'text' : 'hex');
        void refreshStatistics();
      },
      (error: unknown) => {
        if (error instanceof CallFailed && error.failure.family !== 'cancelled') setProblem(error.failure.message);
      },
    );
    return () => controller.abort();
  }, [path, version]);
  if (problem !== undefined) {
    return (
      <p class="problem" role="alert">
        <Icon name="warning" />
        <bdi>{shownName(problem)}</bdi>
      </p>
    );
  }
  if (loaded === undefined) return <p class="quiet">Reading…</p>;
  const views: [Shown, string][] = [];
  if (loaded.picture !== undefined) views.push(['picture', 'Picture']);
  if (loaded.text !== undefined) views.push(['text', 'Text']);
  views.push(['hex', 'Bytes']);
  const cut = loaded.size > loaded.head.length;
  return (
    <section class="preview" aria-label="Contents">
      <div class="preview-head">
        <fieldset class="switch" aria-label="Shown as">
          {views.map(([id, label]) => (
            <button type="button" key={id} aria-pressed={shown === id} onClick={() => setShown(id)}>
              {label}
            </button>
          ))}
        </fieldset>
        <span class="quiet">
          {shown === 'text' && loaded.text !== undefined && `${loaded.text.encoding}, ${loaded.lines.length.toLocaleString('en')} lines`}
          {shown === 'text' && cut && `, the first ${shownSize(loaded.head.length)} are shown`}
        </span>
        <span class="spring" />
        {shown === 'text' && loaded.text !== undefined && !cut && (
          <button type="button" class="button" onClick={() => setShown('edit')}>
            <Icon name="edit" /> Edit
          </button>
        )}
      </div>
      {shown === 'text' && <Lines lines={loaded.lines} />}
      {shown === 'picture' && <Picture path={path} type={loaded.picture ?? ''} size={loaded.size} />}
      {shown === 'hex' && <Hex path={path} size={size} head={loaded.head} />}
      {shown === 'edit' && loaded.text !== undefined && <Editor path={path} text={loaded.text} onDone={() => setShown('text')} />}
    </section>
  );
}

function Lines({ lines }: { readonly lines: readonly string[] }): JSX.Element {
  if (lines.length === 1 && lines[0] === '') return <p class="quiet">The file is empty.</p>;
  const digits = String(lines.length).length;
  return (
    <VirtualList
      class="text-box"
      tabIndex={0}
      aria-label="Text"
      data-testid="text"
      count={lines.length}
      rowHeight={LINE}
      row={(index) => {
        const line = lines[index] ?? '';
        return (
          <div class="text-line">
            <span class="line-number" style={{ width: `${digits}ch` }} aria-hidden="true">
              {index + 1}
            </span>
            <span class="line-text">{line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT)} …` : line}</span>
          </div>
        );
      }}
    />
  );
}

function Picture({ path, type, size }: { readonly path: string; readonly type: string; readonly size: number }): JSX.Element {
  const [url, setUrl] = useState<string | undefined>(undefined);
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    let made: string | undefined;
    let gone = false;
    call('read', { path, offset: 0, length: size }).then(
      ({ bytes }) => {
        if (gone) return;
        made = URL.createObjectURL(new Blob([bytes], { type }));
        setUrl(made);
      },
      () => setBroken(true),
    );
    return () => {
      gone = true;
      if (made !== undefined) URL.revokeObjectURL(made);
    };
  }, [path, type]);
  if (broken) return <p class="quiet">The picture cannot be shown; it may be damaged.</p>;
  return (
    <div class="picture">
      {url !== undefined && <img src={url} alt={`Contents of ${shownName(path)}`} onError={() => setBroken(true)} />}
    </div>
  );
}

function Editor({ path, text, onDone }: { readonly path: string; readonly text: Decoded; readonly onDone: () => void }): JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null);
  const windows = /\r\n/.test(text.text) && !/[^\r]\n/.test(text.text);
  const save = (): void => {
    const value = area.current?.value ?? '';
    void change(
      () => call('write', { path, text: windows ? value.replace(/\r?\n/g, '\r\n') : value, encoding: text.encoding }),
      [parentOf(path)],
    ).then((done) => {
      if (done) onDone();
    });
  };
  return (
    <div class="editor">
      <textarea
        ref={area}
        spellcheck={false}
        aria-label={`Text of ${shownName(path)}`}
        defaultValue={text.text}
        onKeyDown={(event) => {
          if ((event.ctrlKey || event.metaKey) && event.key === 's') {
            event.preventDefault();
            save();
          }
        }}
      />
      <div class="line">
        <button type="button" class="button primary" onClick={save}>
          Keep the change
        </button>
        <button type="button" class="button" onClick={onDone}>
          Cancel
        </button>
        <span class="quiet">Written as {text.encoding}. The image is not touched until you save.</span>
      </div>
    </div>
  );
}

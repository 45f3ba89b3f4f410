/** The bytes of a file, sixteen in a row; what is scrolled to is read. */
import type { JSX } from 'preact';
import { useCallback, useRef, useState } from 'preact/hooks';
import { call } from '../client.ts';
import { VirtualList } from './virtual-list.tsx';

const ROW = 19;
const PIECE = 65_536;
/** Pieces that are remembered. */
const MOST_PIECES = 64;

export function Hex({ path, size, head }: { readonly path: string; readonly size: number; readonly head: Uint8Array }): JSX.Element {
  const pieces = useRef(new Map<number, Uint8Array | 'asked'>());
  const [, redraw] = useState(0);
  const [show, setShow] = useState<number | undefined>(undefined);
  const bytesAt = (index: number): Uint8Array | undefined => {
    const offset = index * 16;
    if (offset + 16 <= head.length || head.length === size) return head.subarray(offset, offset + 16);
    const piece = pieces.current.get(Math.floor(offset / PIECE));
    return piece === undefined || piece === 'asked' ? undefined : piece.subarray(offset % PIECE, (offset % PIECE) + 16);
  };
  const onRange = useCallback(
    (first: number, end: number) => {
      if (head.length === size) return;
      for (let at = Math.floor((first * 16) / PIECE); at * PIECE < Math.min(end * 16, size); at++) {
        if ((at + 1) * PIECE <= head.length || pieces.current.has(at)) continue;
        if (pieces.current.size >= MOST_PIECES) pieces.current.clear();
        pieces.current.set(at, 'asked');
        call('read', { path, offset: at * PIECE, length: PIECE }).then(
          ({ bytes }) => {
            pieces.current.set(at, bytes);
            redraw((count) => count + 1);
          },
          () => pieces.current.delete(at),
        );
      }
    },
    [path, size, head],
  );
  if (size === 0) return <p class="quiet">The file is empty.</p>;
  const digits = Math.max(8, (size - 1).toString(16).length);
  return (
    <>
      {size > PIECE && (
        <label class="go">
          Go to byte
          <input
            type="text"
            placeholder="0x1000"
            spellcheck={false}
            onChange={(event) => {
              const wanted = Number(event.currentTarget.value);
              if (Number.isFinite(wanted) && wanted >= 0) setShow(Math.floor(Math.min(wanted, size - 1) / 16));
            }}
          />
        </label>
      )}
      <VirtualList
        class="text-box hex"
        tabIndex={0}
        aria-label="Bytes"
        data-testid="hex"
        count={Math.ceil(size / 16)}
        rowHeight={ROW}
        show={show}
        onRange={onRange}
        row={(index) => {
          const bytes = bytesAt(index);
          return (
            <div class="text-line">
              <span class="line-number">{(index * 16).toString(16).padStart(digits, '0')}</span>
              <span class="hex-bytes">{bytes === undefined ? '…' : hexOf(bytes)}</span>
              <span class="hex-text">{bytes === undefined ? '' : asciiOf(bytes)}</span>
            </div>
          );
        }}
      />
    </>
  );
}

function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < 16; i++) {
    text += i < bytes.length ? (bytes[i] ?? 0).toString(16).padStart(2, '0') : '  ';
    text += i === 7 ? '  ' : ' ';
  }
  return text;
}

function asciiOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('');
}

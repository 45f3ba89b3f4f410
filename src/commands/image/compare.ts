/** `img compare`: whether two images show the same disk. */
import { isZero } from '../../bytes/text.ts';
import type { Image } from '../../image/image.ts';
import type { Extent } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import type { Run } from '../declaration.ts';
import { failingWith } from '../exit-status.ts';
import { openNamedImage } from '../open-image.ts';
import { printJson, printText, wantsJson } from './document.ts';

const STATUS_DIFFERENT = 1;
const STATUS_NOT_OPENED = 2;
const STATUS_TABLES = 3;
const STATUS_DATA = 4;

const SECTOR = 512;
/** Bytes that are read at once from each. */
const PIECE: number = 1 << 20;

/** A difference: where it begins, and of what kind. */
interface Difference {
  readonly kind: 'content' | 'status' | 'size';
  readonly offset?: number;
}

export const compare: Run = function* (invocation, host, output): Io<number> {
  const [first, second] = yield* failingWith(STATUS_NOT_OPENED, both(invocation, host));
  const strict = invocation.has('--strict');
  const mismatch = first.size !== second.size;
  const difference =
    strict && mismatch
      ? ({ kind: 'size' } as const)
      : yield* compareDisks(first, second, strict, (done, total) => host.progress(done, total));
  if (!invocation.has('--quiet')) {
    if (wantsJson(invocation)) {
      yield* printJson(output, {
        identical: difference === undefined,
        'size-mismatch': mismatch,
        ...(difference === undefined ? {} : { difference }),
      });
    } else {
      yield* printText(output, `${mismatch && !strict ? 'Warning: Image size mismatch!\n' : ''}${sentence(difference)}`);
    }
  }
  return difference === undefined ? 0 : STATUS_DIFFERENT;
};

function* both(invocation: Parameters<Run>[0], host: Parameters<Run>[1]): Io<readonly [Image, Image]> {
  const first = yield* openNamedImage(invocation, host, { argument: 'IMAGE1' });
  return [first, yield* openNamedImage(invocation, host, { argument: 'IMAGE2', format: '--format2' })];
}

function sentence(difference: Difference | undefined): string {
  switch (difference?.kind) {
    case undefined:
      return 'Images are identical.\n';
    case 'size':
      return 'Strict mode: Image size mismatch!\n';
    case 'status':
      return `Strict mode: Offset ${difference.offset} block status mismatch!\n`;
    case 'content':
      return `Content mismatch at offset ${difference.offset}!\n`;
  }
}

function* compareDisks(
  first: Image,
  second: Image,
  strict: boolean,
  onProgress: (done: number, total: number) => void,
): Io<Difference | undefined> {
  const total = Math.max(first.size, second.size);
  const left = new Uint8Array(PIECE);
  const right = new Uint8Array(PIECE);
  for (let at = 0; at < total; ) {
    const a = yield* failingWith(STATUS_TABLES, extentOf(first, at, total - at));
    const b = yield* failingWith(STATUS_TABLES, extentOf(second, at, total - at));
    if (strict && (a.present !== b.present || a.zero !== b.zero || a.data !== b.data)) return { kind: 'status', offset: at };
    let length = Math.min(a.length, b.length);
    if (!(a.zero && b.zero)) {
      length = Math.min(length, PIECE);
      const x = left.subarray(0, length);
      const y = right.subarray(0, length);
      if (!a.zero) yield* failingWith(STATUS_DATA, first.readInto(at, x));
      if (!b.zero) yield* failingWith(STATUS_DATA, second.readInto(at, y));
      const different = a.zero ? firstNonZero(y) : b.zero ? firstNonZero(x) : firstDifference(x, y);
      if (different !== undefined) return { kind: 'content', offset: at + different - ((at + different) % SECTOR) };
    }
    at += length;
    onProgress(at, total);
  }
  return undefined;
}

/** Behind the end of a disk everything is zero. */
function extentOf(image: Image, at: number, length: number): Io<Extent> {
  return at < image.size ? image.map(at, Math.min(length, image.size - at)) : behindEnd(length);
}

// biome-ignore lint/correctness/useYield: nothing has to be read to know this
function* behindEnd(length: number): Io<Extent> {
  return { length, present: false, zero: true, data: false, depth: 0 };
}

const STEP = 4096;

function firstNonZero(bytes: Uint8Array): number | undefined {
  for (let at = 0; at < bytes.length; at += STEP) {
    if (isZero(bytes, at, Math.min(at + STEP, bytes.length))) continue;
    while (bytes[at] === 0) at++;
    return at;
  }
  return undefined;
}

function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  // Both begin a buffer of their own, so they can be looked at in words.
  const words = Math.floor(a.length / 4);
  const x = new Int32Array(a.buffer, a.byteOffset, words);
  const y = new Int32Array(b.buffer, b.byteOffset, words);
  let at = 0;
  while (at < words && x[at] === y[at]) at++;
  for (at *= 4; at < a.length; at++) if (a[at] !== b[at]) return at;
  return undefined;
}

/** Where bytes come from and go to: files of the guest and devices under one interface. */
import type { Bytes } from '../../bytes/struct.ts';
import { isZero } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import { readFully } from '../../guest/file-data.ts';
import type { Io } from '../../io/effect.ts';
import { idleDevice } from './device-access.ts';
import { ensureFile, newFileMode } from './files.ts';
import type { Handle } from './handle.ts';

export interface Source {
  /** In bytes. */
  readonly size: number;
  /** Fills the whole target. */
  readInto(offset: number, target: Bytes): Io<void>;
}

export interface Target {
  write(offset: number, bytes: Bytes): Io<void>;
  /** Makes the target at least so long, with zeros. */
  extend(size: number): Io<void>;
}

/** Whether an argument that may name a device or a path names a device. */
export function isDeviceName(name: string): boolean {
  return name.startsWith('/dev/');
}

/** Throws as open(2) does. */
export function* openSource(handle: Handle, name: string): Io<Source> {
  if (isDeviceName(name)) {
    const device = yield* handle.disk.device(name);
    return { size: device.size, readInto: (offset, target) => device.readInto(offset, target) };
  }
  const file = yield* handle.tree.file(name);
  return { size: file.size, readInto: (offset, target) => readFully(file, offset, target) };
}

/** Opens a device, or a file, which is made where there is none. `keep` leaves what is in it. */
function* openTarget(handle: Handle, name: string, keep = false): Io<Target> {
  if (isDeviceName(name)) {
    const device = yield* idleDevice(handle, name);
    return {
      *write(offset, bytes) {
        if (offset + bytes.length > device.size) throw new Posix('ENOSPC', { path: name });
        yield* device.write(offset, bytes);
        handle.forget(name);
      },
      *extend() {},
    };
  }
  const { tree } = handle;
  if (keep) yield* ensureFile(handle, name);
  else yield* tree.writeFile(name, new Uint8Array(0), { mode: newFileMode(handle) });
  return {
    write: (offset, bytes) => tree.write(name, offset, bytes),
    *extend(size) {
      if ((yield* tree.stat(name)).size < size) yield* tree.truncate(name, size);
    },
  };
}

export interface RangeOptions {
  readonly srcoffset?: number | undefined;
  readonly destoffset?: number | undefined;
  /** Bytes; all that there are when absent. */
  readonly size?: number | undefined;
  /** Pieces of zeros are not written. */
  readonly sparse?: boolean | undefined;
  /** Write behind what the target has. */
  readonly append?: boolean | undefined;
}

const PIECE = 1 << 18;
/** The piece of zeros that `sparse` leaves out. */
const SPARSE_PIECE = 65_536;

/**
 * Copies bytes between files and devices. A file is emptied first, unless they are to be appended. Throws EINVAL for negative numbers and
 * a source that is too short.
 */
export function* copyRange(handle: Handle, from: string, to: string, options: RangeOptions): Io<void> {
  const { srcoffset = 0, destoffset = 0, size, sparse = false, append = false } = options;
  for (const [what, number] of [
    ['srcoffset', srcoffset],
    ['destoffset', destoffset],
    ['size', size ?? 0],
  ] as const) {
    if (number < 0) throw new Posix('EINVAL', {}, `${what} is negative`);
  }
  yield* handle.tree.transaction(function* () {
    yield* openSource(handle, from);
    const same = !isDeviceName(from) && !isDeviceName(to) && (yield* sameFile(handle, from, to));
    const target = yield* openTarget(handle, to, append || same);
    const source = yield* openSource(handle, from);
    const length = size ?? Math.max(0, source.size - srcoffset);
    if (srcoffset + length > source.size && length > 0) throw new Posix('EINVAL', { path: from }, 'the input is too short');
    const start = append && !isDeviceName(to) ? (yield* handle.tree.stat(to)).size : destoffset;
    const piece = new Uint8Array(Math.min(sparse ? SPARSE_PIECE : PIECE, length));
    for (let at = 0; at < length; at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, length - at));
      yield* source.readInto(srcoffset + at, part);
      if (!sparse || !isZero(part)) yield* target.write(start + at, part);
      yield* handle.progress(at + part.length, length);
    }
    if (sparse) yield* target.extend(start + length);
  });
}

function* sameFile({ tree }: Handle, a: string, b: string): Io<boolean> {
  const left = (yield* tree.lookup(a)).place;
  const right = (yield* tree.lookup(b)).place;
  return left !== undefined && right !== undefined && left.mount === right.mount && left.node === right.node;
}

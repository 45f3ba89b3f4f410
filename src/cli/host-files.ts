/** Files of the host that go into a guest. */
import * as fs from 'node:fs';
import type { Bytes } from '../bytes/struct.ts';
import { concatBytes, decodeName } from '../bytes/text.ts';
import type { HostStat } from '../commands/host.ts';
import { Posix } from '../errors.ts';
import type { FileKind } from '../filesystem/filesystem.ts';
import { hostPath, posixError } from '../platform/node/file.ts';
import { wait } from './output.ts';

const BILLION = 1_000_000_000n;

/** lstat(2), and the text of a symbolic link. */
export function hostStat(name: string): HostStat {
  try {
    const stat = fs.lstatSync(hostPath(name), { bigint: true });
    const kind = hostKind(stat);
    const seconds = stat.mtimeNs / BILLION - (stat.mtimeNs % BILLION < 0n ? 1n : 0n);
    return {
      kind,
      mode: Number(stat.mode) & 0o7777,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      mtime: { seconds: Number(seconds), nanoseconds: Number(stat.mtimeNs - seconds * BILLION) },
      ...(kind === 'symlink' ? { target: decodeName(fs.readlinkSync(hostPath(name), 'buffer')) } : {}),
      ...(kind === 'character' || kind === 'block' ? { device: deviceNumber(stat.rdev) } : {}),
      ...(kind !== 'directory' && stat.nlink > 1n ? { identity: `${stat.dev}:${stat.ino}` } : {}),
    };
  } catch (error) {
    throw posixError(error, name);
  }
}

function hostKind(stat: fs.BigIntStats): FileKind {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'character';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : 'socket';
}

/** The two parts of a device number of stat(2), makedev(3). */
function deviceNumber(device: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xffff_f000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffff_ff00n)),
  };
}

/** The names in a folder, losslessly, sorted. */
export function hostNames(name: string): readonly string[] {
  try {
    return fs
      .readdirSync(hostPath(name), 'buffer')
      .sort(Buffer.compare)
      .map((one) => decodeName(one));
  } catch (error) {
    throw posixError(error, name);
  }
}

const PIECE = 1 << 20;
const LEAST_ROOM = 65_536;

/** All bytes of a file, device or pipe; `-` is standard input. Throws Posix EFBIG when there are more than `limit`. */
export function readHostFile(name: string, limit: number): Bytes {
  const standardInput = name === '-';
  const pieces: Bytes[] = [];
  let descriptor: number | undefined;
  try {
    descriptor = standardInput ? 0 : fs.openSync(hostPath(name), 'r');
    for (let length = 0; ; ) {
      const piece = readPiece(descriptor);
      if (piece === undefined) return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : concatBytes(...pieces);
      length += piece.length;
      if (length > limit) throw new Posix('EFBIG', { image: name }, `more than ${limit} bytes`);
      pieces.push(piece);
    }
  } catch (error) {
    throw posixError(error, standardInput ? 'standard input' : name);
  } finally {
    if (descriptor !== undefined && !standardInput) fs.closeSync(descriptor);
  }
}

/** What is left of the memory for pieces: a pipe gives little at once. */
let room: Bytes = new Uint8Array(0);

/** The next bytes of a descriptor; undefined at its end. Waits where it does not block. */
export function readPiece(descriptor: number): Bytes | undefined {
  if (room.length < LEAST_ROOM) room = new Uint8Array(PIECE);
  for (;;) {
    try {
      const got = fs.readSync(descriptor, room);
      const piece = room.subarray(0, got);
      room = room.subarray(got);
      return got === 0 ? undefined : piece;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return undefined;
      if (code !== 'EAGAIN') throw error;
      wait(5);
    }
  }
}

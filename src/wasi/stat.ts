/** What WASI tells of a node. */
import { wasi } from '@bjorn3/browser_wasi_shim';
import type { FileKind, Stat, Timestamp } from '../filesystem/filesystem.ts';

const FILE_TYPE: Readonly<Record<FileKind, number>> = {
  file: wasi.FILETYPE_REGULAR_FILE,
  directory: wasi.FILETYPE_DIRECTORY,
  symlink: wasi.FILETYPE_SYMBOLIC_LINK,
  character: wasi.FILETYPE_CHARACTER_DEVICE,
  block: wasi.FILETYPE_BLOCK_DEVICE,
  // Preview 1 has no number for a FIFO.
  fifo: wasi.FILETYPE_UNKNOWN,
  socket: wasi.FILETYPE_SOCKET_STREAM,
};

export function fileType(kind: FileKind | undefined): number {
  return kind === undefined ? wasi.FILETYPE_UNKNOWN : FILE_TYPE[kind];
}

const SECOND = 1_000_000_000n;

/** Nanoseconds since 1970; WASI knows no time before. */
function nanoseconds({ seconds, nanoseconds: rest }: Timestamp): bigint {
  const all = BigInt(seconds) * SECOND + BigInt(rest);
  return all < 0n ? 0n : all;
}

/** A time of WASI as ours. */
export function timestamp(time: bigint): Timestamp {
  return { seconds: Number(time / SECOND), nanoseconds: Number(time % SECOND) };
}

/** The structure `filestat`; the one of the package (0.4.2) writes its times two bytes too early, over each other and over the size. */
export class GuestFilestat extends wasi.Filestat {
  constructor(stat: Stat, device: number) {
    super(BigInt(stat.node), fileType(stat.kind), BigInt(stat.size));
    this.dev = BigInt(device);
    this.nlink = BigInt(stat.links);
    this.atim = nanoseconds(stat.atime);
    this.mtim = nanoseconds(stat.mtime);
    this.ctim = nanoseconds(stat.ctime);
  }

  override write_bytes(view: DataView, at: number): void {
    view.setBigUint64(at, this.dev, true);
    view.setBigUint64(at + 8, this.ino, true);
    view.setUint8(at + 16, this.filetype);
    view.setBigUint64(at + 24, this.nlink, true);
    view.setBigUint64(at + 32, this.size, true);
    view.setBigUint64(at + 40, this.atim, true);
    view.setBigUint64(at + 48, this.mtim, true);
    view.setBigUint64(at + 56, this.ctim, true);
  }
}

/** All rights of preview 1: a descriptor without them makes wasi-libc ask for none when it opens files. */
export const ALL_RIGHTS: bigint = (1n << 29n) - 1n;

export function fdstat(type: number, flags: number): wasi.Fdstat {
  const stat = new wasi.Fdstat(type, flags);
  stat.fs_rights_base = ALL_RIGHTS;
  stat.fs_rights_inherited = ALL_RIGHTS;
  return stat;
}

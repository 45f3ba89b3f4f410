/** An open directory of the guest; the calls with paths are `at` calls of it. */
import { Fd, wasi } from '@bjorn3/browser_wasi_shim';
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import { readWholeDirectory } from '../guest/directory.ts';
import type { Place } from '../guest/mounts.ts';
import { joinPath, SLASH } from '../guest/path.ts';
import { runSync } from '../io/drivers.ts';
import { guard } from './errno.ts';
import { GuestFile } from './file.ts';
import type { WasiGuest } from './guest.ts';
import { fdstat, fileType, GuestFilestat } from './stat.ts';
import { times } from './times.ts';

const RIGHT_READ = BigInt(wasi.RIGHTS_FD_READ);
const RIGHT_WRITE = BigInt(wasi.RIGHTS_FD_WRITE);
/** The bit of `lookupflags`: follow a symbolic link that the last name is. */
const SYMLINK_FOLLOW = 1;
const DOT = Uint8Array.of(0x2e);
const DOT_DOT = Uint8Array.of(0x2e, 0x2e);

interface Entry {
  readonly name: Bytes;
  readonly node: number;
  readonly type: number;
}

export class GuestDirectory extends Fd {
  readonly guest: WasiGuest;
  /** Its absolute path in the guest; another one after it, or a directory above it, was renamed. */
  path: Bytes;
  readonly #prestat: string | undefined;
  /** The listing, taken when it is read from its beginning. */
  #entries: readonly Entry[] = [];

  /** `prestat`: the name under which the program finds it from the start. */
  constructor(guest: WasiGuest, path: Bytes, prestat?: string) {
    super();
    this.guest = guest;
    this.path = path;
    this.#prestat = prestat;
  }

  /** A path relative to this directory, as an absolute one of the guest. A program is given no absolute paths: they are not its own. */
  at(path: Bytes): Bytes {
    if (path.length === 0) throw new Posix('ENOENT');
    if (path[0] === SLASH) throw new Posix('EPERM');
    return joinPath(this.path, path);
  }

  #place(): Place {
    return runSync(this.guest.tree.directory(this.path));
  }

  override fd_prestat_get(): { ret: number; prestat: wasi.Prestat | null } {
    if (this.#prestat === undefined) return { ret: wasi.ERRNO_BADF, prestat: null };
    return { ret: wasi.ERRNO_SUCCESS, prestat: wasi.Prestat.dir(this.#prestat) };
  }

  override fd_fdstat_get(): { ret: number; fdstat: wasi.Fdstat } {
    return { ret: wasi.ERRNO_SUCCESS, fdstat: fdstat(fileType('directory'), 0) };
  }

  override fd_fdstat_set_flags(): number {
    return wasi.ERRNO_SUCCESS;
  }

  override fd_filestat_get(): { ret: number; filestat: wasi.Filestat | null } {
    return guard<{ ret: number; filestat: wasi.Filestat | null }>(
      () => {
        const { stat, mount } = this.#place();
        return { ret: 0, filestat: new GuestFilestat(stat, this.guest.device(mount)) };
      },
      { filestat: null },
    );
  }

  override fd_read(): { ret: number; data: Bytes } {
    return { ret: wasi.ERRNO_ISDIR, data: new Uint8Array(0) };
  }

  override fd_write(): { ret: number; nwritten: number } {
    return { ret: wasi.ERRNO_ISDIR, nwritten: 0 };
  }

  override fd_seek(): { ret: number; offset: bigint } {
    return { ret: wasi.ERRNO_BADF, offset: 0n };
  }

  override fd_readdir_single(cookie: bigint): { ret: number; dirent: wasi.Dirent | null } {
    return guard(
      () => {
        if (cookie === 0n) this.#entries = this.#list();
        const entry = this.#entries[Number(cookie)];
        if (entry === undefined) return { ret: 0, dirent: null };
        const dirent = new wasi.Dirent(cookie + 1n, BigInt(entry.node), '', entry.type);
        dirent.dir_name = entry.name;
        dirent.d_namlen = entry.name.length;
        return { ret: 0, dirent };
      },
      { dirent: null },
    );
  }

  #list(): readonly Entry[] {
    const place = this.#place();
    const directory = fileType('directory');
    const found = runSync(readWholeDirectory(place.mount.fileSystem, place.node)).filter((entry) => !this.guest.isAside(entry.name));
    return [
      { name: DOT, node: place.node, type: directory },
      { name: DOT_DOT, node: (place.parent ?? place).node, type: directory },
      ...found.map(({ name, node, kind }) => ({ name, node, type: fileType(kind) })),
    ];
  }

  /** openat(2). */
  openAt(lookupFlags: number, path: Bytes, flags: number, rights: bigint, fdFlags: number): Fd {
    const { tree } = this.guest;
    const absolute = this.at(path);
    const followLast = (lookupFlags & SYMLINK_FOLLOW) !== 0;
    const create = (flags & wasi.OFLAGS_CREAT) !== 0;
    const exclusive = create && (flags & wasi.OFLAGS_EXCL) !== 0;
    const write = (rights & RIGHT_WRITE) !== 0n;
    let { place } = runSync(tree.lookup(absolute, create ? { create: true, followLast: followLast && !exclusive } : { followLast }));
    if (place !== undefined && exclusive) throw new Posix('EEXIST');
    if (place === undefined) {
      if (!create) throw new Posix('ENOENT');
      if ((flags & wasi.OFLAGS_DIRECTORY) !== 0) throw new Posix('EINVAL');
      runSync(tree.writeFile(absolute, new Uint8Array(0), { mode: 0o644, existing: 'append' }));
      place = runSync(tree.resolve(absolute));
    }
    const { kind } = place.stat;
    if (kind === 'symlink') throw new Posix('ELOOP');
    if (kind === 'directory') {
      if (write && (flags & wasi.OFLAGS_DIRECTORY) === 0 && (rights & RIGHT_READ) === 0n) throw new Posix('EISDIR');
      if ((flags & wasi.OFLAGS_TRUNC) !== 0) throw new Posix('EISDIR');
      return new GuestDirectory(this.guest, runSync(tree.realpath(absolute)));
    }
    if ((flags & wasi.OFLAGS_DIRECTORY) !== 0) throw new Posix('ENOTDIR');
    if (kind !== 'file') throw new Posix('ENXIO');
    if ((flags & wasi.OFLAGS_TRUNC) !== 0) runSync(tree.truncate(absolute, 0));
    return new GuestFile(this.guest, this.guest.open(place), { read: (rights & RIGHT_READ) !== 0n, write }, fdFlags);
  }

  statAt(lookupFlags: number, path: Bytes): GuestFilestat {
    const followLast = (lookupFlags & SYMLINK_FOLLOW) !== 0;
    const { stat, mount } = runSync(this.guest.tree.resolve(this.at(path), { followLast }));
    return new GuestFilestat(stat, this.guest.device(mount));
  }

  setTimesAt(lookupFlags: number, path: Bytes, atim: bigint, mtim: bigint, flags: number): void {
    const followLast = (lookupFlags & SYMLINK_FOLLOW) !== 0;
    const { atime, mtime } = times(atim, mtim, flags, this.guest.now());
    runSync(this.guest.tree.utimes(this.at(path), atime, mtime, { followLast }));
  }

  linkAt(lookupFlags: number, path: Bytes, target: GuestDirectory, name: Bytes): void {
    const { tree } = this.guest;
    const source = this.at(path);
    const followed = (lookupFlags & SYMLINK_FOLLOW) !== 0 ? runSync(tree.realpath(source)) : source;
    runSync(tree.link(followed, target.at(name)));
  }
}

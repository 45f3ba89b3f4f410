/**
 * The calls of WASI preview 1 that take paths. The package decodes paths as UTF-8, makes a rename of an unlink and a link, and has no symlink: these take
 * their place, with paths as bytes.
 */
import { type Fd, type WASI, wasi } from '@bjorn3/browser_wasi_shim';
import type { Bytes } from '../bytes/struct.ts';
import { encodeName } from '../bytes/text.ts';
import { Posix } from '../errors.ts';
import { SLASH } from '../guest/path.ts';
import { runSync } from '../io/drivers.ts';
import { GuestDirectory } from './directory.ts';
import { guardNumber } from './errno.ts';

/** Puts our calls into the table of imports of a program. */
export function overwritePathImports(program: WASI): void {
  const memory = (): ArrayBuffer => program.inst.exports.memory.buffer;
  const view = (): DataView => new DataView(memory());
  const bytes = (at: number, length: number): Bytes => new Uint8Array(memory(), at, length).slice();
  const directory = (fd: number): GuestDirectory => {
    const one = program.fds[fd];
    if (one === undefined) throw new Posix('EBADF');
    if (!(one instanceof GuestDirectory)) throw new Posix('ENOTDIR');
    return one;
  };

  const imports: Record<string, (...parameters: never[]) => number> = {
    path_open(
      fd: number,
      lookup: number,
      at: number,
      length: number,
      flags: number,
      rights: bigint,
      _inherited: bigint,
      fdFlags: number,
      result: number,
    ) {
      return guardNumber(() => {
        const opened: Fd = directory(fd).openAt(lookup, bytes(at, length), flags, rights, fdFlags);
        view().setUint32(result, program.fds.push(opened) - 1, true);
      });
    },
    path_filestat_get(fd: number, lookup: number, at: number, length: number, result: number) {
      return guardNumber(() => directory(fd).statAt(lookup, bytes(at, length)).write_bytes(view(), result));
    },
    path_filestat_set_times(fd: number, lookup: number, at: number, length: number, atim: bigint, mtim: bigint, flags: number) {
      return guardNumber(() => directory(fd).setTimesAt(lookup, bytes(at, length), atim, mtim, flags));
    },
    path_create_directory(fd: number, at: number, length: number) {
      return guardNumber(() => {
        const from = directory(fd);
        runSync(from.guest.tree.mkdir(from.at(bytes(at, length)), { mode: 0o755 }));
      });
    },
    path_remove_directory(fd: number, at: number, length: number) {
      return guardNumber(() => {
        const from = directory(fd);
        runSync(from.guest.tree.rmdir(from.at(bytes(at, length))));
      });
    },
    path_unlink_file(fd: number, at: number, length: number) {
      return guardNumber(() => {
        const from = directory(fd);
        from.guest.unlink(from.at(bytes(at, length)));
      });
    },
    path_link(fd: number, lookup: number, at: number, length: number, newFd: number, newAt: number, newLength: number) {
      return guardNumber(() => directory(fd).linkAt(lookup, bytes(at, length), directory(newFd), bytes(newAt, newLength)));
    },
    path_symlink(targetAt: number, targetLength: number, fd: number, at: number, length: number) {
      return guardNumber(() => {
        const from = directory(fd);
        runSync(from.guest.tree.symlink(bytes(targetAt, targetLength), from.at(bytes(at, length))));
      });
    },
    path_readlink(fd: number, at: number, length: number, buffer: number, room: number, result: number) {
      return guardNumber(() => {
        const from = directory(fd);
        const target = runSync(from.guest.tree.readlink(from.at(bytes(at, length)))).subarray(0, room);
        new Uint8Array(memory()).set(target, buffer);
        view().setUint32(result, target.length, true);
      });
    },
    path_rename(fd: number, at: number, length: number, newFd: number, newAt: number, newLength: number) {
      return guardNumber(() => {
        const from = directory(fd);
        const [old, renamed] = [from.at(bytes(at, length)), directory(newFd).at(bytes(newAt, newLength))];
        const { place } = runSync(from.guest.tree.lookup(old, { keepLast: true }));
        const before = place?.stat.kind === 'directory' ? runSync(from.guest.tree.realpath(old)) : undefined;
        from.guest.rename(old, renamed);
        if (before !== undefined) follow(program.fds, before, runSync(from.guest.tree.realpath(renamed)));
      });
    },
    // The package counts characters where it writes bytes.
    args_sizes_get(count: number, size: number) {
      const all = program.args.map((word) => encodeName(word).length + 1);
      view().setUint32(count, all.length, true);
      view().setUint32(
        size,
        all.reduce((sum, one) => sum + one, 0),
        true,
      );
      return wasi.ERRNO_SUCCESS;
    },
    args_get(argv: number, buffer: number) {
      let at = buffer;
      for (const [i, word] of program.args.entries()) {
        view().setUint32(argv + 4 * i, at, true);
        const encoded = encodeName(word);
        const target = new Uint8Array(memory());
        target.set(encoded, at);
        target[at + encoded.length] = 0;
        at += encoded.length + 1;
      }
      return wasi.ERRNO_SUCCESS;
    },
    sched_yield() {
      return wasi.ERRNO_SUCCESS;
    },
    sock_accept: () => wasi.ERRNO_NOTSUP,
    sock_recv: () => wasi.ERRNO_NOTSUP,
    sock_send: () => wasi.ERRNO_NOTSUP,
    sock_shutdown: () => wasi.ERRNO_NOTSUP,
  };
  Object.assign(program.wasiImport, imports);
}

/** Directories that are open below one that was renamed. */
function follow(fds: readonly (Fd | undefined)[], before: Bytes, after: Bytes): void {
  for (const fd of fds) {
    if (!(fd instanceof GuestDirectory) || fd.path.length < before.length) continue;
    if (!before.every((byte, i) => fd.path[i] === byte)) continue;
    if (fd.path.length > before.length && fd.path[before.length] !== SLASH) continue;
    const rest = fd.path.subarray(before.length);
    const path = new Uint8Array(after.length + rest.length);
    path.set(after);
    path.set(rest, after.length);
    fd.path = path;
  }
}

/** Verbs that check, resize and clean file systems. */
import { Posix, Unsupported } from '../../errors.ts';
import { checkExt4 } from '../../ext4/check/index.ts';
import { WritableExt4 } from '../../ext4/index.ts';
import { growExt4 } from '../../ext4/resize/index.ts';
import { parseSuperblock } from '../../ext4/superblock.ts';
import { eachFreeRun, superblockBytes, zeroFreeBlocks } from '../../ext4/tune/index.ts';
import { clearRange } from '../../io/clearing.ts';
import type { WritableDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { type TransactionalDevice, Transactions } from '../../io/transaction.ts';
import { WritableVfat } from '../../vfat/index.ts';
import { idleDevice, isBusy, writableDevice } from './device-access.ts';
import { identified, invalid } from './ext-make.ts';
import type { Handle } from './handle.ts';
import type { Verbs } from './verb.ts';

/** Exit status of fsck(8). */
const CLEAN = 0;
const ERRORS_LEFT = 4;
const OPERATIONAL_ERROR = 8;
/** lost+found gets at least this many bytes (mklost+found). */
const LOST_AND_FOUND_SIZE = 16384;
const LONG_NAME = 246;
const EXT: ReadonlySet<string> = new Set(['ext2', 'ext3', 'ext4']);

/** What e2fsck's exit status would be when it may repair nothing. */
function* e2fsckStatus(handle: Handle, device: string): Io<{ readonly status: number; readonly problems: readonly string[] }> {
  if (isBusy(handle, device)) return { status: OPERATIONAL_ERROR, problems: [`${device} is mounted`] };
  const type = (yield* identified(handle, device))?.type ?? '';
  if (!EXT.has(type)) return { status: OPERATIONAL_ERROR, problems: ['bad magic number in the superblock'] };
  try {
    // As a mount would: a journal with something in it is replayed first.
    yield* handle.disk.mount(device);
    handle.forget(device);
  } catch (error) {
    if (error instanceof Posix) throw error;
    // The check says what is wrong.
    handle.forget(device);
  }
  const { problems } = yield* checkExt4(yield* handle.device(device));
  return { status: problems.length === 0 ? CLEAN : ERRORS_LEFT, problems };
}

function* e2fsck(handle: Handle, device: string): Io<void> {
  const { status, problems } = yield* e2fsckStatus(handle, device);
  if (status === CLEAN) return;
  const more = problems.length > 3 ? `; and ${problems.length - 3} more` : '';
  throw new Posix('EIO', { path: device }, `${problems.slice(0, 3).join('; ')}${more}`);
}

function* fsckVfat(handle: Handle, device: string): Io<number> {
  if ((yield* identified(handle, device))?.type !== 'vfat') return OPERATIONAL_ERROR;
  try {
    const system = yield* handle.disk.mount(device);
    yield* system.usage();
    return system.warnings.length === 0 ? CLEAN : ERRORS_LEFT;
  } catch (error) {
    if (error instanceof Error && 'family' in error && error.family === 'corrupt') return ERRORS_LEFT;
    throw error;
  } finally {
    handle.forget(device);
  }
}

/** Makes a file system larger, until it fills so many bytes. */
function* resize(handle: Handle, device: string, size: number): Io<void> {
  const target = yield* idleDevice(handle, device);
  const superblock = parseSuperblock(yield* superblockBytes(target));
  const blocks = Math.floor(size / superblock.blockSize);
  if (blocks === superblock.blocksCount) return;
  if (blocks < superblock.blocksCount) {
    const message = `${device} has ${superblock.blocksCount} blocks; making it one of ${blocks} is not supported: file systems only grow`;
    throw new Unsupported('resize2fs', message);
  }
  yield* growExt4(target, { blocks, now: handle.host.now().seconds });
  handle.forget(device);
}

/** What is free in a mounted file system, and what it lies on. */
interface FreeSpace {
  readonly device: WritableDevice;
  /** Bytes of its unit of allocation. */
  readonly unit: number;
  each(visit: (offset: number, length: number) => Io<void>): Io<void>;
}

/** The free space of the file system that is mounted where a path leads, with all that was changed before written to its device. */
function* freeSpace(handle: Handle, path: string, verb: string): Io<FreeSpace> {
  const { mount } = yield* handle.tree.resolve(path);
  if (mount.readOnly) throw new Posix('EROFS', { path });
  yield* handle.tree.flush();
  const { fileSystem } = mount;
  if (fileSystem instanceof WritableExt4) {
    const { volume } = fileSystem;
    return { device: volume.device, unit: volume.superblock.blockSize, each: (visit) => eachFreeRun(volume, visit) };
  }
  if (fileSystem instanceof WritableVfat) {
    return { device: fileSystem.device, unit: fileSystem.clusterSize, each: (visit) => fileSystem.eachFreeRun(visit) };
  }
  throw new Posix('EOPNOTSUPP', { path }, `${verb} works on ext2, ext3, ext4 and FAT only`);
}

export const extCheckVerbs: Verbs = {
  fsck: {
    summary: 'checks a file system, and tells the exit status of fsck',
    *run(handle, { fstype, device }) {
      if (EXT.has(fstype)) return (yield* e2fsckStatus(handle, device)).status;
      if (isBusy(handle, device)) return OPERATIONAL_ERROR;
      if (fstype === 'vfat' || fstype === 'msdos') return yield* fsckVfat(handle, device);
      return OPERATIONAL_ERROR;
    },
  },
  e2fsck: {
    summary: 'checks an ext2, ext3 or ext4 file system; what is broken is told and not repaired',
    *run(handle, { device, correct, forceall }) {
      if (correct === true && forceall === true) throw invalid("only one of the options 'correct' and 'forceall' may be given");
      yield* e2fsck(handle, device);
    },
  },
  e2fsck_f: {
    summary: 'checks an ext2, ext3 or ext4 file system even if it seems clean',
    *run(handle, { device }) {
      yield* e2fsck(handle, device);
    },
  },
  resize2fs: {
    summary: 'makes an ext2, ext3 or ext4 file system as large as its device',
    *run(handle, { device }) {
      yield* resize(handle, device, (yield* writableDevice(handle, device)).size);
    },
  },
  resize2fs_size: {
    summary: 'makes an ext2, ext3 or ext4 file system so many bytes large; it only grows',
    *run(handle, { device, size }) {
      if (!(size > 0)) throw invalid('the size must be greater than 0');
      yield* resize(handle, device, size);
    },
  },
  resize2fs_M: {
    summary: 'would make an ext2, ext3 or ext4 file system as small as it can be; not supported',
    *run(handle, { device }) {
      parseSuperblock(yield* superblockBytes(yield* writableDevice(handle, device)));
      throw new Unsupported('resize2fs', 'making a file system smaller is not supported');
    },
  },
  zerofree: {
    summary: 'makes the free blocks of an ext2, ext3 or ext4 file system zeros',
    *run(handle, { device }) {
      const target: TransactionalDevice = yield* idleDevice(handle, device);
      const system = yield* handle.disk.mount(device);
      if (!(system instanceof WritableExt4)) throw new Posix('EINVAL', { path: device }, 'this is no ext2, ext3 or ext4 file system');
      yield* new Transactions(target, () => ({ restore: () => {}, release: () => {} })).run(() => zeroFreeBlocks(system.volume, target));
      handle.forget(device);
    },
  },
  zero_free_space: {
    summary: 'makes the free space of a mounted file system zeros',
    *run(handle, { directory }) {
      const { device, unit, each } = yield* freeSpace(handle, directory, 'zero_free_space');
      yield* each(function* (offset, length) {
        yield* clearRange(device, offset, length, unit);
      });
    },
  },
  fstrim: {
    summary: 'gives the free space of a mounted file system back to the disk',
    *run(handle, { mountpoint, offset, length, minimumfreeextent }) {
      for (const value of [offset, length, minimumfreeextent]) if (value !== undefined && value < 0) throw invalid('a number is negative');
      if (length === 0) throw invalid('the length must be greater than 0');
      const { device, each } = yield* freeSpace(handle, mountpoint, 'fstrim');
      const from = offset ?? 0;
      const to = from + (length ?? Number.MAX_SAFE_INTEGER - from);
      yield* each(function* (start, size) {
        const first = Math.max(start, from);
        const bytes = Math.min(start + size, to) - first;
        if (bytes > 0 && bytes >= (minimumfreeextent ?? 0)) yield* device.discard(first, bytes);
      });
    },
  },
  mklost_and_found: {
    summary: 'makes the directory lost+found on an ext2, ext3 or ext4 file system',
    *run({ tree }, { mountpoint }) {
      const path = `${mountpoint.replace(/\/+$/, '')}/lost+found`;
      yield* tree.transaction(function* () {
        yield* tree.mkdir(path, { mode: 0o700 });
        // The directory grows by names and keeps its blocks when they go.
        const names: string[] = [];
        const most = LOST_AND_FOUND_SIZE / 32;
        while (names.length < most && (yield* tree.stat(path)).size < LOST_AND_FOUND_SIZE) {
          const name = `${path}/${String(names.length).padStart(LONG_NAME, 'l')}`;
          yield* tree.writeFile(name, '', { mode: 0o600, existing: 'new' });
          names.push(name);
        }
        for (const name of names) yield* tree.unlink(name);
      });
    },
  },
};

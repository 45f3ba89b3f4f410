/** Verbs about what stat(2) tells, and about changing it. */
import { Posix } from '../../errors.ts';
import type { FileKind, Stat, Timestamp } from '../../filesystem/filesystem.ts';
import type { EditableTree } from '../../guest/edit.ts';
import type { Place } from '../../guest/mounts.ts';
import type { Io } from '../../io/effect.ts';
import { parseDeviceName } from '../../partition/names.ts';
import type { StatnsStruct, StatStruct } from '../api/calls.ts';
import { placesOf } from './entries.ts';
import type { Handle } from './handle.ts';
import type { Verb, Verbs } from './verb.ts';

/** A device number as glibc's makedev(3) puts it together. */
export function deviceNumber(major: number, minor: number): number {
  return (major & 0xfff) * 0x100 + (minor & 0xff) + (minor - (minor & 0xff)) * 0x1000 + (major - (major & 0xfff)) * 0x1_0000_0000;
}

/** The majors of SCSI disks, sixteen disks of sixteen minors each; admin-guide/devices.txt of Linux. */
const SCSI_MAJORS = [8, 65, 66, 67, 68, 69, 70, 71, 128, 129, 130, 131, 132, 133, 134, 135];
const EXTENDED_MAJOR = 259;

/** The number of the device a file system is on. */
function mountNumber(place: Place): number {
  const { index = 0, number = 0 } = parseDeviceName(place.mount.device) ?? {};
  const major = SCSI_MAJORS[index >> 4];
  if (major === undefined || number > 15) return deviceNumber(EXTENDED_MAJOR, index * 256 + number);
  return deviceNumber(major, (index & 15) * 16 + number);
}

function statnsOf(place: Place): StatnsStruct {
  const { stat } = place;
  return {
    st_dev: mountNumber(place),
    st_ino: stat.node,
    st_mode: stat.mode,
    st_nlink: stat.links,
    st_uid: stat.uid,
    st_gid: stat.gid,
    st_rdev: stat.device === undefined ? 0 : deviceNumber(stat.device.major, stat.device.minor),
    st_size: stat.size,
    st_blksize: stat.blockSize,
    st_blocks: stat.blocks,
    st_atime_sec: stat.atime.seconds,
    st_atime_nsec: stat.atime.nanoseconds,
    st_mtime_sec: stat.mtime.seconds,
    st_mtime_nsec: stat.mtime.nanoseconds,
    st_ctime_sec: stat.ctime.seconds,
    st_ctime_nsec: stat.ctime.nanoseconds,
    st_spare1: 0,
    st_spare2: 0,
    st_spare3: 0,
    st_spare4: 0,
    st_spare5: 0,
    st_spare6: 0,
  };
}

/** What stands in a list for a name that is not there. */
const MISSING: StatnsStruct = {
  st_dev: 0,
  st_ino: -1,
  st_mode: 0,
  st_nlink: 0,
  st_uid: 0,
  st_gid: 0,
  st_rdev: 0,
  st_size: 0,
  st_blksize: 0,
  st_blocks: 0,
  st_atime_sec: 0,
  st_atime_nsec: 0,
  st_mtime_sec: 0,
  st_mtime_nsec: 0,
  st_ctime_sec: 0,
  st_ctime_nsec: 0,
  st_spare1: 0,
  st_spare2: 0,
  st_spare3: 0,
  st_spare4: 0,
  st_spare5: 0,
  st_spare6: 0,
};

/** The older structure, which has no nanoseconds. */
function oldStat(stat: StatnsStruct): StatStruct {
  return {
    dev: stat.st_dev,
    ino: stat.st_ino,
    mode: stat.st_mode,
    nlink: stat.st_nlink,
    uid: stat.st_uid,
    gid: stat.st_gid,
    rdev: stat.st_rdev,
    size: stat.st_size,
    blksize: stat.st_blksize,
    blocks: stat.st_blocks,
    atime: stat.st_atime_sec,
    mtime: stat.st_mtime_sec,
    ctime: stat.st_ctime_sec,
  };
}

function* statList(tree: EditableTree, path: string, names: readonly string[]): Io<StatnsStruct[]> {
  return (yield* placesOf(tree, path, names)).map((place) => (place === undefined ? MISSING : statnsOf(place)));
}

/** What a path names, or undefined where nothing is; a loop of links is an error. */
function* findStat(tree: EditableTree, path: string, followLast: boolean): Io<Stat | undefined> {
  try {
    return (yield* tree.resolve(path, { followLast })).stat;
  } catch (error) {
    if (error instanceof Posix && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The verb that asks for one kind. */
function isKind(kind: FileKind, called: string): Verb<{ readonly path: string; readonly followsymlinks?: boolean | undefined }, boolean> {
  return {
    summary: `tells whether a path is ${called}`,
    *run({ tree }, { path, followsymlinks = false }) {
      return (yield* findStat(tree, path, followsymlinks))?.kind === kind;
    },
  };
}

/** A user or group of chown(2): -1 leaves it as it is. */
function account(number: number): number | undefined {
  return number === -1 ? undefined : number >>> 0;
}

/** A time of utimensat(2): -1 nanoseconds mean now, -2 leave it as it is. */
function timeArgument(handle: Handle, seconds: number, nanoseconds: number, path: string): Timestamp | undefined {
  if (nanoseconds === -1) return handle.host.now();
  if (nanoseconds === -2) return undefined;
  if (nanoseconds < 0 || nanoseconds > 999_999_999)
    throw new Posix('EINVAL', { path }, `${nanoseconds} nanoseconds: 0 to 999999999, -1 or -2`);
  return { seconds, nanoseconds };
}

export const attributeVerbs: Verbs = {
  chmod: {
    summary: 'changes the permission bits of a file',
    *run({ tree }, { mode, path }) {
      if (mode < 0) throw new Posix('EINVAL', { path }, `the mode ${mode} is negative`);
      yield* tree.chmod(path, mode & 0o7777);
    },
  },
  chown: {
    summary: 'changes the owner and group of a file',
    *run({ tree }, { owner, group, path }) {
      yield* tree.chown(path, account(owner), account(group));
    },
  },
  lchown: {
    summary: 'changes the owner and group of a file, of a symbolic link itself',
    *run({ tree }, { owner, group, path }) {
      yield* tree.chown(path, account(owner), account(group), { followLast: false });
    },
  },
  utimens: {
    summary: 'sets the times of last access and change, of a symbolic link itself',
    *run(handle, { path, atsecs, atnsecs, mtsecs, mtnsecs }) {
      const atime = timeArgument(handle, atsecs, atnsecs, path);
      const mtime = timeArgument(handle, mtsecs, mtnsecs, path);
      yield* handle.tree.utimes(path, atime, mtime, { followLast: false });
    },
  },
  exists: {
    summary: 'tells whether a path is there, a dangling symbolic link too',
    *run({ tree }, { path }) {
      return yield* tree.exists(path, { followLast: false });
    },
  },
  is_file: isKind('file', 'a regular file'),
  is_dir: isKind('directory', 'a directory'),
  is_chardev: isKind('character', 'a character device'),
  is_blockdev: isKind('block', 'a block device'),
  is_fifo: isKind('fifo', 'a FIFO'),
  is_socket: isKind('socket', 'a socket'),
  is_symlink: isKind('symlink', 'a symbolic link'),
  statns: {
    summary: 'tells all about a file',
    *run({ tree }, { path }) {
      return statnsOf(yield* tree.resolve(path));
    },
  },
  lstatns: {
    summary: 'tells all about a file, of a symbolic link itself',
    *run({ tree }, { path }) {
      return statnsOf(yield* tree.resolve(path, { followLast: false }));
    },
  },
  internal_lstatnslist: {
    summary: 'tells all about several files of a directory',
    *run({ tree }, { path, names }) {
      return yield* statList(tree, path, names);
    },
  },
  stat: {
    summary: 'tells about a file',
    *run({ tree }, { path }) {
      return oldStat(statnsOf(yield* tree.resolve(path)));
    },
  },
  lstat: {
    summary: 'tells about a file, of a symbolic link itself',
    *run({ tree }, { path }) {
      return oldStat(statnsOf(yield* tree.resolve(path, { followLast: false })));
    },
  },
  lstatlist: {
    summary: 'tells about several files of a directory',
    *run({ tree }, { path, names }) {
      return (yield* statList(tree, path, names)).map(oldStat);
    },
  },
  lstatnslist: {
    summary: 'tells all about several files of a directory',
    *run({ tree }, { path, names }) {
      return yield* statList(tree, path, names);
    },
  },
};

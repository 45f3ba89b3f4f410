/** Verbs that show and change what ext2, ext3 and ext4 say of themselves and of their files. */
import { decodeName, encodeName } from '../../bytes/text.ts';
import { uuidBytes } from '../../bytes/uuid.ts';
import { Posix } from '../../errors.ts';
import { WritableExt4 } from '../../ext4/index.ts';
import {
  changeFlags,
  changeGeneration,
  describeSuperblock,
  EXT4_FL_USER_VISIBLE,
  type Ext4Settings,
  FLAG_LETTERS,
  setExt4Uuid,
  setMountedUuid,
  superblockBytes,
  tuneExt4,
  tuneMountedExt4,
} from '../../ext4/tune/index.ts';
import type { FileSystem, WritableFileSystem } from '../../filesystem/filesystem.ts';
import { isWritable, type Place } from '../../guest/mounts.ts';
import type { Io } from '../../io/effect.ts';
import { writableDevice } from './device-access.ts';
import { given, identified, invalid, uuidWord } from './ext-make.ts';
import type { Handle } from './handle.ts';
import type { Verbs } from './verb.ts';

const EXT_TYPES: ReadonlySet<string> = new Set(['ext2', 'ext3', 'ext4']);
const EXT_LABEL_LENGTH = 16;
const FAT_LABEL_LENGTH = 11;

/** The file system that is mounted from a device. */
function mountedOn(handle: Handle, device: string): FileSystem | undefined {
  return handle.mounts.find((mount) => mount.device === device)?.fileSystem;
}

/** Writes out what is only in memory of a device that is mounted. */
export function* flushed(handle: Handle, device: string): Io<void> {
  if (mountedOn(handle, device) !== undefined) yield* handle.tree.flush();
}

function* tune(handle: Handle, device: string, settings: Ext4Settings): Io<void> {
  const target = yield* writableDevice(handle, device);
  const mounted = mountedOn(handle, device);
  if (mounted instanceof WritableExt4) {
    yield* tuneMountedExt4(mounted, settings);
    return;
  }
  if (mounted !== undefined) throw new Posix('EBUSY', { path: device });
  yield* tuneExt4(target, settings);
  handle.forget(device);
}

function* setExtLabel(handle: Handle, device: string, label: string): Io<void> {
  const bytes = encodeName(label);
  if (bytes.length > EXT_LABEL_LENGTH) throw invalid(`${label}: ext2 labels are limited to ${EXT_LABEL_LENGTH} bytes`);
  yield* tune(handle, device, { label: bytes });
}

function* setExtUuid(handle: Handle, device: string, text: string): Io<void> {
  const word = uuidWord(handle, text);
  let uuid: Uint8Array;
  try {
    uuid = uuidBytes(word);
  } catch {
    throw invalid(`${text}: invalid UUID`);
  }
  const target = yield* writableDevice(handle, device);
  const mounted = mountedOn(handle, device);
  if (mounted instanceof WritableExt4) yield* setMountedUuid(mounted, uuid);
  else if (mounted !== undefined) throw new Posix('EBUSY', { path: device });
  else {
    yield* setExt4Uuid(target, uuid);
    handle.forget(device);
  }
}

/** The type of a device, or an error that says that nothing can be changed there. */
function* typeFor(handle: Handle, device: string, what: string): Io<string> {
  yield* flushed(handle, device);
  const type = (yield* identified(handle, device))?.type ?? '';
  if (EXT_TYPES.has(type) || type === 'vfat') return type;
  throw new Posix('EOPNOTSUPP', {}, `the ${what} of a file system of type '${type}' cannot be changed`);
}

function* setFatLabel(handle: Handle, device: string, label: string): Io<void> {
  const bytes = encodeName(label);
  if (bytes.length > FAT_LABEL_LENGTH) throw invalid(`${label}: FAT labels are limited to ${FAT_LABEL_LENGTH} bytes`);
  yield* writableDevice(handle, device);
  const mounted = mountedOn(handle, device);
  const system = (mounted ?? (yield* handle.disk.mount(device))) as FileSystem;
  if (!isWritable(system)) throw new Posix('EROFS', { path: device });
  const writable: WritableFileSystem = system;
  yield* writable.setLabel(bytes);
  yield* writable.sync();
  if (mounted === undefined) handle.forget(device);
}

function* setUuid(handle: Handle, device: string, uuid: string): Io<void> {
  const type = yield* typeFor(handle, device, 'UUID');
  if (!EXT_TYPES.has(type)) throw new Posix('EOPNOTSUPP', {}, `the UUID of a file system of type '${type}' cannot be changed`);
  yield* setExtUuid(handle, device, uuid);
}

/** The file of a path on ext2, ext3 or ext4; a symbolic link at its end is followed. */
function* extPlace(handle: Handle, path: string): Io<Place> {
  const place = yield* handle.tree.resolve(path);
  if (!EXT_TYPES.has(place.mount.fileSystem.type)) {
    throw new Posix('EOPNOTSUPP', { path }, 'only files of ext2, ext3 and ext4 have these attributes');
  }
  return place;
}

function writableExt({ mount }: Place, path: string): WritableExt4 {
  if (mount.readOnly || !(mount.fileSystem instanceof WritableExt4)) throw new Posix('EROFS', { path });
  return mount.fileSystem;
}

/** The flags that a string of letters stands for: each letter once, and only those that chattr takes as attributes. */
function flagsOf(attrs: string): number {
  let flags = 0;
  for (const letter of attrs) {
    const flag = Object.hasOwn(FLAG_LETTERS, letter) ? FLAG_LETTERS[letter] : undefined;
    if (flag === undefined) throw invalid(`bad file attribute '${letter}'`);
    if ((flags & flag) !== 0) throw invalid(`attribute '${letter}' is repeated`);
    flags |= flag;
  }
  return flags >>> 0;
}

export const extTuneVerbs: Verbs = {
  tune2fs: {
    summary: 'changes settings of an ext2, ext3 or ext4 file system',
    *run(handle, args) {
      const { maxmountcount, mountcount, errorbehavior, intervalbetweenchecks, reservedblockspercentage, reservedblockscount } = args;
      for (const [name, value] of Object.entries({ mountcount, intervalbetweenchecks, reservedblockspercentage, reservedblockscount })) {
        if (value !== undefined && value < 0) throw invalid(`${name} must not be negative`);
      }
      const settings = given({
        maximumMountCount: maxmountcount,
        mountCount: mountcount,
        errorBehaviour: errorbehavior,
        checkInterval: intervalbetweenchecks,
        reservedPercentage: reservedblockspercentage,
        reservedBlocks: reservedblockscount,
        reservedUid: args.user,
        reservedGid: args.group,
        lastMounted: args.lastmounteddirectory === undefined ? undefined : encodeName(args.lastmounteddirectory),
      }) as Ext4Settings;
      if (Object.keys(settings).length === 0) throw invalid('nothing to change: no option was given');
      yield* tune(handle, args.device, settings);
    },
  },
  tune2fs_l: {
    summary: 'shows what the superblock of an ext2, ext3 or ext4 file system says',
    *run(handle, { device }) {
      yield* flushed(handle, device);
      const pairs = describeSuperblock(yield* superblockBytes(yield* handle.device(device)));
      const nothing = new Set(['<none>', '<not available>', '(none)']);
      return pairs.map(([key, value]) => [key, nothing.has(value) ? '' : value] as const);
    },
  },
  set_e2label: {
    summary: 'sets the label of an ext2, ext3 or ext4 file system',
    *run(handle, { device, label }) {
      yield* setExtLabel(handle, device, label);
    },
  },
  get_e2label: {
    summary: 'tells the label of an ext2, ext3 or ext4 file system',
    *run(handle, { device }) {
      yield* flushed(handle, device);
      const signature = yield* identified(handle, device);
      return signature === undefined ? '' : decodeName(signature.label);
    },
  },
  set_e2uuid: {
    summary: 'sets the UUID of an ext2, ext3 or ext4 file system',
    *run(handle, { device, uuid }) {
      yield* setExtUuid(handle, device, uuid);
    },
  },
  get_e2uuid: {
    summary: 'tells the UUID of an ext2, ext3 or ext4 file system',
    *run(handle, { device }) {
      yield* flushed(handle, device);
      return (yield* identified(handle, device))?.uuid ?? '';
    },
  },
  set_label: {
    summary: 'sets the label of a file system',
    *run(handle, { mountable, label }) {
      const type = yield* typeFor(handle, mountable, 'label');
      if (type === 'vfat') yield* setFatLabel(handle, mountable, label);
      else yield* setExtLabel(handle, mountable, label);
    },
  },
  set_uuid: {
    summary: 'sets the UUID of a file system',
    *run(handle, { device, uuid }) {
      yield* setUuid(handle, device, uuid);
    },
  },
  set_uuid_random: {
    summary: 'gives a file system a new random UUID',
    *run(handle, { device }) {
      yield* setUuid(handle, device, 'random');
    },
  },
  get_e2attrs: {
    summary: 'tells the attributes of a file on ext2, ext3 or ext4, as letters',
    *run(handle, { file }) {
      const { stat } = yield* extPlace(handle, file);
      if (stat.kind !== 'file' && stat.kind !== 'directory') throw new Posix('EOPNOTSUPP', { path: file });
      const flags = stat.flags & EXT4_FL_USER_VISIBLE;
      const letters = Object.entries(FLAG_LETTERS).filter(([, flag]) => (flags & flag) !== 0);
      return letters
        .map(([letter]) => letter)
        .sort()
        .join('');
    },
  },
  set_e2attrs: {
    summary: 'sets or clears attributes of a file on ext2, ext3 or ext4',
    *run(handle, { file, attrs, clear }) {
      const flags = flagsOf(attrs);
      const place = yield* extPlace(handle, file);
      if (flags === 0) return;
      yield* changeFlags(writableExt(place, file), place.node, clear === true ? 0 : flags, clear === true ? flags : 0);
    },
  },
  get_e2generation: {
    summary: 'tells the generation of a file on ext2, ext3 or ext4',
    *run(handle, { file }) {
      return (yield* extPlace(handle, file)).stat.generation ?? 0;
    },
  },
  set_e2generation: {
    summary: 'sets the generation of a file on ext2, ext3 or ext4',
    *run(handle, { file, generation }) {
      const place = yield* extPlace(handle, file);
      yield* changeGeneration(writableExt(place, file), place.node, generation);
    },
  },
};

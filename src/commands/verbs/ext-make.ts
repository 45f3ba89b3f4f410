/** Verbs that make file systems. */
import { decodeName, encodeName } from '../../bytes/text.ts';
import { uuidText } from '../../bytes/uuid.ts';
import { Posix, Unsupported } from '../../errors.ts';
import { type MakeExt4Options, makeExt4, makeExt4Journal } from '../../ext4/mkfs/index.ts';
import type { Io } from '../../io/effect.ts';
import { makeVfat } from '../../vfat/mkfs.ts';
import type { Calls } from '../api/calls.ts';
import { idleDevice } from './device-access.ts';
import type { Handle } from './handle.ts';
import type { Verbs } from './verb.ts';

type ExtType = 'ext2' | 'ext3' | 'ext4';
const EXT: ReadonlySet<string> = new Set(['ext2', 'ext3', 'ext4']);
const FAT: ReadonlySet<string> = new Set(['vfat', 'fat', 'msdos']);
/** What mkfs would make elsewhere. */
const ELSEWHERE: ReadonlySet<string> = new Set(
  'bfs btrfs cramfs exfat f2fs gfs gfs2 hfs hfsplus jfs minix nilfs2 ntfs ocfs2 reiserfs udf ufs xfs'.split(' '),
);
const EXT_LABEL_LENGTH = 16;
const FAT_LABEL_LENGTH = 11;
const CREATORS = ['linux', 'hurd', 'masix', 'freebsd', 'lites'];

export const invalid = (message: string): Posix => new Posix('EINVAL', {}, message);

function isExt(type: string): type is ExtType {
  return EXT.has(type);
}

/** What every file system of ours is made with: the handle's clock and its random numbers. */
function surroundings(handle: Handle): Pick<MakeExt4Options, 'now' | 'random'> {
  return {
    now: handle.host.now().seconds,
    random: () => {
      const bytes = handle.host.random(4);
      return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
    },
  };
}

function* makeExt(handle: Handle, device: string, options: MakeExt4Options): Io<void> {
  const target = yield* idleDevice(handle, device);
  yield* makeExt4(target, { ...surroundings(handle), ...options });
  handle.forget(device);
}

function* makeJournal(handle: Handle, device: string, options: MakeExt4Options): Io<void> {
  const target = yield* idleDevice(handle, device);
  yield* makeExt4Journal(target, { ...surroundings(handle), ...options });
  handle.forget(device);
}

function extLabel(label: string | undefined): Pick<MakeExt4Options, 'label'> {
  if (label === undefined) return {};
  const bytes = encodeName(label);
  if (bytes.length > EXT_LABEL_LENGTH) throw invalid(`${label}: ext2/3/4 labels are limited to ${EXT_LABEL_LENGTH} bytes`);
  return { label: bytes };
}

/** What is given, without what is not. */
export function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

type Mkfs = Omit<Calls['mkfs']['args'], 'device' | 'fstype'>;

function* mkfs(handle: Handle, fstype: string, device: string, options: Mkfs): Io<void> {
  const { blocksize, features, inode, sectorsize, label } = options;
  if (blocksize !== undefined && !(blocksize > 0 && Number.isInteger(Math.log2(blocksize)))) {
    throw invalid('the block size must be greater than 0 and a power of 2');
  }
  if (inode !== undefined && inode <= 0) throw invalid('the size of inodes must be greater than 0');
  if (isExt(fstype)) {
    if (sectorsize !== undefined) throw invalid('a sector size can only be given for ufs file systems');
    const chosen = given({ blockSize: blocksize, features, inodeSize: inode });
    yield* makeExt(handle, device, { type: fstype, ...chosen, ...extLabel(label) } as MakeExt4Options);
  } else if (FAT.has(fstype)) {
    if (inode !== undefined || features !== undefined)
      throw invalid('inode sizes and features can only be given for ext2/3/4 file systems');
    const name = label === undefined ? undefined : encodeName(label);
    if (name !== undefined && name.length > FAT_LABEL_LENGTH)
      throw invalid(`${label}: FAT labels are limited to ${FAT_LABEL_LENGTH} bytes`);
    const target = yield* idleDevice(handle, device);
    const volumeId = surroundings(handle).random?.();
    yield* makeVfat(target, given({ label: name, clusterSize: blocksize, sectorSize: sectorsize, volumeId, now: handle.host.now() }));
    handle.forget(device);
  } else if (ELSEWHERE.has(fstype)) throw new Unsupported(`mkfs.${fstype}`, `making a file system of type ${fstype} is not supported`);
  else throw invalid(`mkfs.${fstype}: there is no such type of file system`);
}

type Mke2fs = Calls['mke2fs']['args'];

const SWITCHES: readonly (readonly [keyof Mke2fs, string])[] = [
  ['extent', 'extent'],
  ['filetype', 'filetype'],
  ['flexbg', 'flex_bg'],
  ['hasjournal', 'has_journal'],
  ['largefile', 'large_file'],
  ['quota', 'quota'],
  ['resizeinode', 'resize_inode'],
  ['sparsesuper', 'sparse_super'],
  ['uninitbg', 'uninit_bg'],
];

function featuresOf(args: Mke2fs): string | undefined {
  const words: string[] = [];
  for (const [name, feature] of SWITCHES) {
    const value = args[name];
    if (value !== undefined) words.push(value === true ? feature : `^${feature}`);
  }
  return words.length === 0 ? undefined : words.join(',');
}

/** A UUID as mke2fs and tune2fs take it. */
export function uuidWord(handle: Handle, text: string): string {
  const lower = text.toLowerCase();
  if (lower === 'clear' || lower === 'null') return uuidText(new Uint8Array(16));
  if (lower !== 'random' && lower !== 'time') return text;
  const bytes = handle.host.random(16);
  const version = lower === 'random' ? 0x40 : 0x10;
  if (lower === 'time') stampTime(bytes, handle.host.now());
  bytes[6] = (bytes[6]! & 0x0f) | version;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return uuidText(bytes);
}

/** The time of a UUID of version 1: units of 100 ns since 1582-10-15 (RFC 4122, section 4.1.4). */
function stampTime(bytes: Uint8Array, now: { readonly seconds: number; readonly nanoseconds: number }): void {
  const ticks = (BigInt(now.seconds) + 12_219_292_800n) * 10_000_000n + BigInt(Math.floor(now.nanoseconds / 100));
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  view.setUint32(0, Number(ticks & 0xffff_ffffn));
  view.setUint16(4, Number((ticks >> 32n) & 0xffffn));
  view.setUint16(6, Number((ticks >> 48n) & 0x0fffn));
}

/** The journal device that `-J device=` names: a device, `LABEL=` or `UUID=`. */
function* journalDevice(handle: Handle, wanted: string): Io<string> {
  const match = /^(LABEL|UUID)=(.*)$/.exec(wanted);
  if (match === null) return yield* handle.resolveDevice(wanted);
  const [, tag, value] = match;
  for (const { name, kind } of yield* handle.disk.devices()) {
    if (kind !== 'partition' && kind !== 'drive') continue;
    const signature = yield* identified(handle, name);
    if (signature?.type !== 'jbd') continue;
    if (tag === 'UUID' ? signature.uuid === value?.toLowerCase() : decodeName(signature.label) === value) return name;
  }
  throw new Posix('ENOENT', {}, `could not find a journal device matching ${wanted}`);
}

/** What is on a device; undefined also where the signs of several things are. */
export function* identified(handle: Handle, device: string) {
  try {
    return yield* handle.disk.identify(device);
  } catch (error) {
    if (error instanceof Error && 'family' in error && error.family === 'corrupt') return undefined;
    throw error;
  }
}

function* mke2fs(handle: Handle, args: Mke2fs): Io<void> {
  const { device } = args;
  const options = given({
    usageType: args.usagetype,
    blockSize: args.blocksize,
    blocksCount: args.blockscount,
    blocksPerGroup: args.blockspergroup,
    groupsPerFlex: args.numberofgroups,
    inodeRatio: args.bytesperinode,
    inodeSize: args.inodesize,
    inodesCount: args.numberofinodes,
    journalSize: args.journalsize,
    stride: args.stridesize,
    stripeWidth: args.stripewidth,
    maximumOnlineResize: args.maxonlineresize,
    reservedPercentage: args.reservedblockspercentage,
    mmpUpdateInterval: args.mmpupdateinterval,
    lastMounted: args.lastmounteddir === undefined ? undefined : encodeName(args.lastmounteddir),
    creatorOs: args.creatoros === undefined ? undefined : creator(args.creatoros),
    uuid: args.uuid === undefined ? undefined : uuidWord(handle, args.uuid),
    lazyInodeTables: args.lazyitableinit,
    lazyJournal: args.lazyjournalinit,
    testFileSystem: args.testfs,
    superblocksOnly: args.writesbandgrouponly,
    features: featuresOf(args),
  }) as MakeExt4Options;
  const label = extLabel(args.label);
  const type = args.fstype ?? (args.journalsize === undefined && args.journaldevice === undefined ? 'ext2' : 'ext3');
  if (!isExt(type)) throw invalid(`mke2fs makes no file systems of type ${type}`);
  if (args.journaldev === true) return yield* makeJournal(handle, device, { ...options, ...label });
  const journal = args.journaldevice === undefined ? undefined : yield* journalDevice(handle, args.journaldevice);
  const kept = journal === undefined ? {} : { journalDevice: yield* idleDevice(handle, journal) };
  yield* makeExt(handle, device, { type, ...options, ...label, ...kept });
}

function creator(name: string): number {
  const code = CREATORS.indexOf(name.toLowerCase());
  if (code >= 0) return code;
  if (/^\d{1,5}$/.test(name)) return Number(name);
  throw invalid(`mke2fs: could not parse the operating system ${name}`);
}

function* withJournal(handle: Handle, fstype: string, blockSize: number, device: string, wanted: string): Io<void> {
  yield* mke2fs(handle, { device, fstype, blocksize: blockSize, journaldevice: wanted });
}

export const extMakeVerbs: Verbs = {
  mkfs: {
    summary: 'makes a file system on a device',
    *run(handle, { fstype, device, ...options }) {
      yield* mkfs(handle, fstype, device, options);
    },
  },
  mkfs_b: {
    summary: 'makes a file system with blocks of a given size',
    *run(handle, { fstype, blocksize, device }) {
      yield* mkfs(handle, fstype, device, { blocksize });
    },
  },
  mke2fs: {
    summary: 'makes an ext2, ext3 or ext4 file system, or an external journal, with the options of mke2fs',
    *run(handle, args) {
      yield* mke2fs(handle, args);
    },
  },
  mke2fs_J: {
    summary: 'makes a file system whose journal is on another device',
    *run(handle, { fstype, blocksize, device, journal }) {
      yield* withJournal(handle, fstype, blocksize, device, journal);
    },
  },
  mke2fs_JL: {
    summary: 'makes a file system whose journal is on the device with a label',
    *run(handle, { fstype, blocksize, device, label }) {
      yield* withJournal(handle, fstype, blocksize, device, `LABEL=${label}`);
    },
  },
  mke2fs_JU: {
    summary: 'makes a file system whose journal is on the device with a UUID',
    *run(handle, { fstype, blocksize, device, uuid }) {
      yield* withJournal(handle, fstype, blocksize, device, `UUID=${uuid}`);
    },
  },
  mke2journal: {
    summary: 'makes a device an external journal',
    *run(handle, { blocksize, device }) {
      yield* makeJournal(handle, device, { blockSize: blocksize });
    },
  },
  mke2journal_L: {
    summary: 'makes a device an external journal with a label',
    *run(handle, { blocksize, label, device }) {
      yield* makeJournal(handle, device, { blockSize: blocksize, ...extLabel(label) });
    },
  },
  mke2journal_U: {
    summary: 'makes a device an external journal with a UUID',
    *run(handle, { blocksize, uuid, device }) {
      yield* makeJournal(handle, device, { blockSize: blocksize, uuid: uuidWord(handle, uuid) });
    },
  },
};

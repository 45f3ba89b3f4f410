/** What can be asked of a new file system, and the same with everything decided. */
import { type Bytes, uuidBytes } from '../../bytes/index.ts';
import { Posix } from '../../errors.ts';
import type { BlockDevice } from '../../io/device.ts';
import { COMPAT, INCOMPAT } from '../format/index.ts';
import { editFeatures, type FeatureWords, settleFeatures } from './features.ts';
import { BASE_FEATURES, PAGE_SIZE, profileFor } from './profile.ts';

export interface MakeExt4Options {
  /** Default `ext4`. */
  readonly type?: 'ext2' | 'ext3' | 'ext4';
  /** `-T`: usage types of mke2fs.conf, separated by commas, instead of the class of the size. */
  readonly usageType?: string;
  /** In bytes; a power of two from 1024 to 65536. */
  readonly blockSize?: number;
  /** Blocks of the file system; by default as many as fit on the device. */
  readonly blocksCount?: number;
  /** In bytes; a power of two from 128 to the block size. */
  readonly inodeSize?: number;
  /** Bytes of the file system for each inode. */
  readonly inodeRatio?: number;
  /** How many inodes, rounded up to whole blocks of tables; instead of `inodeRatio`. */
  readonly inodesCount?: number;
  /** A multiple of 8, from 256 to 8 times the block size. */
  readonly blocksPerGroup?: number;
  /** Groups whose tables stand together (flex_bg); a power of two, 16 by default. */
  readonly groupsPerFlex?: number;
  /** Changes to the features of the type, such as `^64bit,meta_bg`. */
  readonly features?: string;
  /** At most 16 bytes. */
  readonly label?: Bytes;
  /** As text; random by default. */
  readonly uuid?: string;
  /** As text, the seed of the hashes of directories; random by default. */
  readonly hashSeed?: string;
  /** Percent of the blocks that only root may use; default 5. */
  readonly reservedPercentage?: number;
  /** MiB of the journal; makes one even for `ext2`. */
  readonly journalSize?: number;
  /** A device that was made by {@link makeExt4Journal}, to keep the journal. */
  readonly journalDevice?: BlockDevice;
  /** The directory that the superblock says it was last mounted on. */
  readonly lastMounted?: Bytes;
  /** `s_creator_os`. */
  readonly creatorOs?: number;
  /** Blocks of a RAID chunk, and of a whole stripe. */
  readonly stride?: number;
  readonly stripeWidth?: number;
  /** Blocks to which it can grow while mounted, at most. */
  readonly maximumOnlineResize?: number;
  /** `s_mmp_update_interval`, in seconds. */
  readonly mmpUpdateInterval?: number;
  /** Leave inode tables as they are, for the kernel to zero (`lazy_itable_init`); only with group checksums. */
  readonly lazyInodeTables?: boolean;
  /** Do not write zeros over the journal (`lazy_journal_init`). */
  readonly lazyJournal?: boolean;
  /** The flag of a file system for trying out new features. */
  readonly testFileSystem?: boolean;
  /** Only superblocks and descriptors, to rescue what is there (`mke2fs -S`). */
  readonly superblocksOnly?: boolean;
  /** Seconds since 1970; default the clock of the machine. */
  readonly now?: number;
  /** Random numbers of 32 bits. */
  readonly random?: () => number;
}

/** A file system about to be made: every choice is taken. */
export interface Plan extends FeatureWords {
  readonly blockSize: number;
  readonly blocksCount: number;
  readonly inodeSize: number;
  /** Inodes wanted. */
  readonly inodesCount: number;
  readonly blocksPerGroup: number | undefined;
  readonly logGroupsPerFlex: number;
  readonly reservedBlocks: number;
  readonly uuid: Bytes;
  readonly hashSeed: Bytes;
  readonly label: Bytes;
  /** Seconds since 1970. */
  readonly now: number;
  readonly options: MakeExt4Options;
}

const LABEL_LENGTH = 16;
/** Blocks that a file system without 64bit can have. */
const MAX_32 = 2 ** 32 - 1;
/** Inodes are numbered with 32 bits. */
const MAX_INODES = 2 ** 32 - 1;
/** Block numbers of ext4 have 48 bits. */
const MAX_BLOCKS = 2 ** 48;

export function invalid(message: string): Posix {
  return new Posix('EINVAL', { layer: 'ext4' }, message);
}

const isPowerOfTwo = (value: number): boolean => Number.isSafeInteger(value) && value > 0 && Number.isInteger(Math.log2(value));

/** 16 random bytes as an RFC 4122 UUID of version 4. */
export function randomUuid(random: () => number): Bytes {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < 16; at += 4) view.setUint32(at, random() >>> 0, true);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes;
}

/** The 16 bytes of a UUID's text. Throws Posix (EINVAL). */
export function parseUuid(text: string): Bytes {
  try {
    return uuidBytes(text);
  } catch {
    throw invalid(`${text} is no UUID`);
  }
}

export function randomNumber(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

/** Decides everything, as mke2fs's PRS does. Throws Posix (EINVAL, or EFBIG for a device too large) and Unsupported. */
export function planFor(deviceSize: number, options: MakeExt4Options): Plan {
  const { blockSize: wantedBlockSize } = options;
  if (wantedBlockSize !== undefined && !(isPowerOfTwo(wantedBlockSize) && wantedBlockSize >= 1024 && wantedBlockSize <= 65536)) {
    throw invalid(`invalid block size: ${wantedBlockSize}`);
  }
  const { bytes, rounded } = sizeOf(deviceSize, options);
  const profile = profileFor(options.type ?? 'ext4', options.usageType, bytes);
  const blockSize = wantedBlockSize ?? profile.blockSize;
  const blocksCount = rounded || wantedBlockSize === undefined ? Math.floor(bytes / blockSize) : options.blocksCount!;
  if (blocksCount * blockSize > deviceSize) throw invalid(`${blocksCount} blocks do not fit on the device`);
  const words: FeatureWords = { compat: 0, incompat: 0, roCompat: 0 };
  editFeatures(words, BASE_FEATURES);
  editFeatures(words, profile.features);
  if (options.features !== undefined) editFeatures(words, options.features);
  if (options.journalSize !== undefined || options.journalDevice !== undefined) words.compat |= COMPAT.has_journal;
  if (options.maximumOnlineResize !== undefined) words.compat |= COMPAT.resize_inode;
  settleFeatures(words);
  if (blocksCount > ((words.incompat & INCOMPAT['64bit']) === 0 ? MAX_32 : MAX_BLOCKS)) {
    throw new Posix('EFBIG', { layer: 'ext4' }, `${blocksCount} blocks are too many without larger blocks or the 64bit feature`);
  }
  if (options.groupsPerFlex !== undefined && (words.incompat & INCOMPAT.flex_bg) === 0) {
    throw invalid('the size of flexible groups may not be given without the flex_bg feature');
  }
  const inodeSize = options.inodeSize ?? Math.min(profile.inodeSize, blockSize);
  if (!(isPowerOfTwo(inodeSize) && inodeSize >= 128 && inodeSize <= blockSize)) {
    throw invalid(`invalid inode size ${inodeSize} (from 128 to ${blockSize})`);
  }
  const random = options.random ?? randomNumber;
  return {
    ...words,
    blockSize,
    blocksCount,
    inodeSize,
    inodesCount: inodesFor(options, Math.max(profile.inodeRatio, blockSize), blocksCount, blockSize, inodeSize),
    blocksPerGroup: checkedBlocksPerGroup(options.blocksPerGroup, blockSize),
    logGroupsPerFlex: (words.incompat & INCOMPAT.flex_bg) === 0 ? 0 : logOfFlex(options.groupsPerFlex ?? 16),
    reservedBlocks: reservedFor(options.reservedPercentage ?? 5, blocksCount),
    uuid: options.uuid === undefined ? randomUuid(random) : parseUuid(options.uuid),
    hashSeed: options.hashSeed === undefined ? randomUuid(random) : parseUuid(options.hashSeed),
    label: checkedLabel(options.label),
    now: options.now ?? Math.floor(Date.now() / 1000),
    options,
  };
}

/** The size that decides the class: mke2fs rounds a device, but not a count of blocks that it was told, down to whole pages. */
function sizeOf(deviceSize: number, { blocksCount, blockSize }: MakeExt4Options): { bytes: number; rounded: boolean } {
  if (blocksCount !== undefined) {
    if (!(Number.isSafeInteger(blocksCount) && blocksCount > 0)) throw invalid(`${blocksCount} is no number of blocks`);
    return { bytes: blocksCount * (blockSize ?? 1024), rounded: false };
  }
  const unit = Math.max(blockSize ?? 1024, PAGE_SIZE);
  return { bytes: deviceSize - (deviceSize % unit), rounded: true };
}

function inodesFor(options: MakeExt4Options, ratio: number, blocks: number, blockSize: number, inodeSize: number): number {
  const { inodesCount, inodeRatio } = options;
  if (inodeRatio !== undefined && !(inodeRatio >= 1024 && inodeRatio <= 65536 * 1024)) throw invalid(`invalid inode ratio ${inodeRatio}`);
  if (inodesCount !== undefined && !(Number.isSafeInteger(inodesCount) && inodesCount > 0 && inodesCount <= MAX_INODES)) {
    throw invalid(`${inodesCount} is no number of inodes`);
  }
  const wanted = inodesCount ?? Math.min(MAX_INODES, Math.floor((blocks * blockSize) / (inodeRatio ?? ratio)));
  if (wanted * inodeSize >= blocks * blockSize) {
    throw invalid(`${wanted} inodes of ${inodeSize} bytes are too many for ${blocks} blocks of ${blockSize} bytes`);
  }
  return wanted;
}

function checkedBlocksPerGroup(count: number | undefined, blockSize: number): number | undefined {
  if (count !== undefined && !(Number.isInteger(count) && count >= 256 && count <= 8 * blockSize && count % 8 === 0)) {
    throw invalid(`invalid blocks per group: ${count}`);
  }
  return count;
}

function logOfFlex(groups: number): number {
  if (!isPowerOfTwo(groups) || groups > 2 ** 31) throw invalid('the number of groups in a flexible group must be a power of 2');
  return Math.log2(groups);
}

function reservedFor(percentage: number, blocks: number): number {
  if (!(percentage >= 0 && percentage <= 50)) throw invalid(`invalid reserved blocks percentage ${percentage}`);
  return Math.floor((percentage * blocks) / 100);
}

function checkedLabel(label: Bytes | undefined): Bytes {
  const bytes = new Uint8Array(LABEL_LENGTH);
  // mke2fs cuts a label that is too long, with a warning.
  if (label !== undefined) bytes.set(label.subarray(0, LABEL_LENGTH));
  return bytes;
}

/** Makes ext2, ext3 and ext4 file systems as mke2fs of e2fsprogs 1.47.0 does, with the defaults of Debian's mke2fs.conf. */
import { type Bytes, setBits } from '../../bytes/index.ts';
import { clearUnknown } from '../../io/clearing.ts';
import type { WritableDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { isTransactional, Transactions } from '../../io/transaction.ts';
import { bitmapChecksum } from '../checksum.ts';
import { type NewDescriptor, writeDescriptor } from '../descriptor-write.ts';
import {
  COMPAT,
  EXT4_BG_BLOCK_UNINIT,
  EXT4_BG_INODE_UNINIT,
  EXT4_BG_INODE_ZEROED,
  EXT4_ERROR_FS,
  EXT4_ROOT_INO,
  EXT4_SUPER_BLOCK,
  INCOMPAT,
  type RawSuperblock,
  SUPERBLOCK_OFFSET,
} from '../format/index.ts';
import {
  blocksInGroup,
  descriptorBlockLocation,
  descriptorsPerBlock,
  groupFirstBlock,
  hasSuperblockCopy,
  superblockBlock,
} from '../layout.ts';
import { parseSuperblock, type Superblock } from '../superblock.ts';
import { Contents } from './contents.ts';
import { addDirectories, addJournal, addResizeInode, journalGoal, LOST_AND_FOUND_INO } from './files.ts';
import { type Geometry, geometryFor, hasGroupChecksums } from './geometry.ts';
import { journalBlocksFor, makeJournalDevice, readJournalDevice, withUser } from './journal.ts';
import { invalid, type MakeExt4Options, type Plan, planFor } from './options.ts';
import { Space } from './space.ts';
import { newSuperblock, sealSuperblock, writeSuperblocks } from './superblock.ts';
import { placeTables, type Tables, takeCopies } from './tables.ts';

/** A request of this many bytes at most, when adjacent blocks are written at once. */
const REQUEST = 1 << 20;
/** mke2fs clears the end of the device, where superblocks of RAIDs stand: in bytes. */
const RAID_AREA = 65536;
const TWO_32 = 2 ** 32;

/**
 * Makes a file system on a device; what was there is lost. Within a transaction where the device takes them. Throws Posix: EINVAL for
 * options that mke2fs refuses, ENOSPC for a device too small; Unsupported for features that cannot be made, by name.
 */
export function* makeExt4(device: WritableDevice, options: MakeExt4Options = {}): Io<void> {
  const plan = planFor(device.size, options);
  yield* whole(device, () => make(device, plan));
}

/** Makes a device an external journal (`mke2fs -O journal_dev`); of the options the block size, the label and the UUID count. */
export function* makeExt4Journal(device: WritableDevice, options: MakeExt4Options = {}): Io<void> {
  yield* whole(device, () => makeJournalDevice(device, options));
}

function* whole(device: WritableDevice, body: () => Io<void>): Io<void> {
  if (!isTransactional(device)) yield* body();
  else yield* new Transactions(device, () => ({ restore: () => {}, release: () => {} })).run(body);
}

function* make(device: WritableDevice, plan: Plan): Io<void> {
  const geometry = geometryFor(plan);
  const superblockBytes = newSuperblock(plan, geometry);
  const superblock = parseSuperblock(superblockBytes);
  const space = new Space(superblock.blocksCount);
  takeCopies(superblock, space);
  const tables = placeTables(superblock, space);
  const contents = new Contents(superblock, space, tables.touched, plan.now);
  const metadata = superblock.blocksCount - space.freeIn(0, superblock.blocksCount);
  const fields: Partial<RawSuperblock> = { s_overhead_clusters: metadata };
  const rescue = plan.options.superblocksOnly === true;
  if (!rescue) {
    addDirectories(contents);
    if ((superblock.compat & COMPAT.resize_inode) !== 0) addResizeInode(contents);
    Object.assign(fields, yield* addJournalOf(plan, contents, metadata));
  } else fields.s_state = superblock.raw.s_state | EXT4_ERROR_FS;
  const free = space.freeIn(0, superblock.blocksCount);
  EXT4_SUPER_BLOCK.write(superblockBytes, 0, {
    s_free_blocks_count_lo: free % TWO_32,
    s_free_blocks_count_hi: Math.floor(free / TWO_32),
    s_free_inodes_count: superblock.inodesCount - LOST_AND_FOUND_INO,
    ...fields,
  });
  sealSuperblock(superblockBytes);
  const writer = new Writer(device, superblock, geometry, tables, contents, plan);
  if (!rescue) yield* writer.contents();
  yield* writer.descriptors(rescue);
  yield* writeSuperblocks(device, superblock, superblockBytes);
}

/** Adds the journal, in the file system or on its device; the superblock's fields that speak of it. */
function* addJournalOf(plan: Plan, contents: Contents, metadata: number): Io<Partial<RawSuperblock>> {
  const { superblock, space } = contents;
  const { journalDevice } = plan.options;
  if (journalDevice !== undefined) {
    const journal = yield* readJournalDevice(journalDevice);
    if (journal.blockSize !== superblock.blockSize) {
      throw invalid(`the journal device has blocks of ${journal.blockSize} bytes, the file system of ${superblock.blockSize}`);
    }
    yield* (journalDevice as WritableDevice).write(journal.offset, withUser(journal, superblock.uuid));
    return { s_journal_uuid: journal.uuid };
  }
  if ((superblock.compat & COMPAT.has_journal) === 0) return {};
  const count = journalBlocksFor(plan, space.freeIn(0, superblock.blocksCount));
  if (count === undefined) return { s_feature_compat: (superblock.compat & ~COMPAT.has_journal) >>> 0 };
  return { ...addJournal(contents, count, journalGoal(contents)), s_overhead_clusters: metadata + count };
}

class Writer {
  readonly #device: WritableDevice;
  readonly #superblock: Superblock;
  readonly #geometry: Geometry;
  readonly #tables: Tables;
  readonly #contents: Contents;
  readonly #plan: Plan;

  constructor(device: WritableDevice, superblock: Superblock, geometry: Geometry, tables: Tables, contents: Contents, plan: Plan) {
    this.#device = device;
    this.#superblock = superblock;
    this.#geometry = geometry;
    this.#tables = tables;
    this.#contents = contents;
    this.#plan = plan;
  }

  get #lazy(): boolean {
    return this.#plan.options.lazyInodeTables === true && hasGroupChecksums(this.#geometry);
  }

  /** Boot block, end of the device, inode tables, files. */
  *contents(): Io<void> {
    const { blockSize, blocksCount, groupCount } = this.#superblock;
    const device = this.#device;
    yield* device.writeZeroes(0, Math.max(SUPERBLOCK_OFFSET, blockSize));
    const unit = Math.max(1, RAID_AREA / blockSize);
    const end = blocksCount - (blocksCount % unit);
    const from = end > unit ? end - unit : end;
    if (from > 0) yield* clearUnknown(device, from * blockSize, (blocksCount - from) * blockSize);
    if (!this.#lazy) {
      for (let group = 0; group < groupCount; ) {
        // Tables that stand side by side are cleared at once.
        const start = this.#tables.inodeTable[group]!;
        let behind = start;
        while (this.#tables.inodeTable[group] === behind) {
          behind += this.#geometry.tableBlocks;
          group++;
        }
        yield* clearUnknown(device, start * blockSize, (behind - start) * blockSize);
      }
    }
    yield* this.#inodes();
    if (this.#plan.options.lazyJournal !== true) {
      for (const { start, end: stop } of this.#contents.zeros) yield* clearUnknown(device, start * blockSize, (stop - start) * blockSize);
    }
    yield* this.#writeBlocks();
  }

  #groupOfInode(number: number): number {
    return Math.floor((number - 1) / this.#superblock.inodesPerGroup);
  }

  /** The reserved inodes and lost+found, as far as they are in a group. */
  #usedInodes(group: number): number {
    const { inodesPerGroup } = this.#superblock;
    return Math.min(inodesPerGroup, Math.max(0, LOST_AND_FOUND_INO - group * inodesPerGroup));
  }

  /** The blocks of the inode tables that hold the first inodes. */
  *#inodes(): Io<void> {
    const { blockSize, inodeSize, inodesPerGroup } = this.#superblock;
    for (let group = 0; this.#usedInodes(group) > 0; group++) {
      const bytes = new Uint8Array(Math.ceil((this.#usedInodes(group) * inodeSize) / blockSize) * blockSize);
      for (const [number, inode] of this.#contents.inodes) {
        if (this.#groupOfInode(number) === group) bytes.set(inode, (number - 1 - group * inodesPerGroup) * inodeSize);
      }
      yield* this.#device.write(this.#tables.inodeTable[group]! * blockSize, bytes);
    }
  }

  *#writeBlocks(): Io<void> {
    const { blockSize } = this.#superblock;
    const blocks = [...this.#contents.blocks].sort((a, b) => a.block - b.block);
    for (let i = 0; i < blocks.length; ) {
      const { block } = blocks[i]!;
      let count = 1;
      while (count * blockSize < REQUEST && blocks[i + count]?.block === block + count) count++;
      const bytes = new Uint8Array(count * blockSize);
      for (let k = 0; k < count; k++) bytes.set(blocks[i + k]!.bytes, k * blockSize);
      yield* this.#device.write(block * blockSize, bytes);
      i += count;
    }
  }

  /** Bitmaps, and all copies of the descriptors. */
  *descriptors(rescue: boolean): Io<void> {
    const superblock = this.#superblock;
    const { blockSize, groupCount, groupDescriptorSize } = superblock;
    const perBlock = descriptorsPerBlock(superblock);
    const blocks: Bytes[] = [];
    for (let group = 0; group < groupCount; group++) {
      const index = Math.floor(group / perBlock);
      const bytes = (blocks[index] ??= new Uint8Array(blockSize));
      const fields = yield* this.#bitmaps(group, rescue);
      writeDescriptor(superblock, bytes, (group - index * perBlock) * groupDescriptorSize, group, fields);
    }
    const { s_first_meta_bg: firstMeta } = superblock.raw;
    const plain = (superblock.incompat & INCOMPAT.meta_bg) === 0 ? blocks.length : Math.min(firstMeta, blocks.length);
    if (plain > 0) {
      const all = new Uint8Array(plain * blockSize);
      for (let i = 0; i < plain; i++) all.set(blocks[i]!, i * blockSize);
      for (let group = 0; group < groupCount; group++) {
        if (hasSuperblockCopy(superblock, group)) yield* this.#device.write((superblockBlock(superblock, group) + 1) * blockSize, all);
      }
    }
    for (let index = plain; index < blocks.length; index++) {
      for (const group of [index * perBlock, index * perBlock + 1, (index + 1) * perBlock - 1]) {
        if (group >= groupCount) continue;
        const first = group === index * perBlock;
        const block = first
          ? descriptorBlockLocation(superblock, index)
          : groupFirstBlock(superblock, group) + (hasSuperblockCopy(superblock, group) ? 1 : 0);
        yield* this.#device.write(block * blockSize, blocks[index]!);
      }
    }
  }

  /** Writes the bitmaps of a group, as far as they are needed; its descriptor. */
  *#bitmaps(group: number, rescue: boolean): Io<NewDescriptor> {
    const superblock = this.#superblock;
    const { blockSize, inodesPerGroup, blocksPerGroup, metadataCsum, checksumSeed, groupCount } = superblock;
    const first = groupFirstBlock(superblock, group);
    const blocks = blocksInGroup(superblock, group);
    const { space, touched } = this.#contents;
    const checksums = hasGroupChecksums(this.#geometry);
    const blockUninit = checksums && !rescue && group < groupCount - 1 && !touched.has(group) && this.#usedInodes(group) === 0;
    const used = rescue ? 0 : this.#usedInodes(group);
    const inodeUninit = checksums && !rescue && used === 0;
    let blockSum = 0;
    let inodeSum = 0;
    if (!blockUninit && !rescue) {
      const bitmap = new Uint8Array(blockSize);
      for (const run of space.taken(first, first + blocks)) setBits(bitmap, run.start - first, run.end - first);
      setBits(bitmap, blocks, blockSize * 8);
      yield* this.#device.write(this.#tables.blockBitmap[group]! * blockSize, bitmap);
      if (metadataCsum) blockSum = bitmapChecksum(checksumSeed, bitmap, Math.floor(blocksPerGroup / 8));
    }
    if (!inodeUninit && !rescue) {
      const bitmap = new Uint8Array(blockSize);
      setBits(bitmap, 0, used);
      setBits(bitmap, inodesPerGroup, blockSize * 8);
      yield* this.#device.write(this.#tables.inodeBitmap[group]! * blockSize, bitmap);
      if (metadataCsum) inodeSum = bitmapChecksum(checksumSeed, bitmap, Math.floor(inodesPerGroup / 8));
    }
    const unused = checksums && !rescue ? inodesPerGroup - used : 0;
    const free = space.freeIn(first, first + blocks);
    const flags =
      (blockUninit ? EXT4_BG_BLOCK_UNINIT : 0) |
      (inodeUninit ? EXT4_BG_INODE_UNINIT : 0) |
      (checksums && !this.#lazy && !rescue ? EXT4_BG_INODE_ZEROED : 0);
    const table = this.#tables;
    return {
      blockBitmap: table.blockBitmap[group]!,
      inodeBitmap: table.inodeBitmap[group]!,
      inodeTable: table.inodeTable[group]!,
      freeClusters: free,
      freeInodes: inodesPerGroup - used,
      unusedInodes: unused,
      usedDirectories: rescue ? 0 : [EXT4_ROOT_INO, LOST_AND_FOUND_INO].filter((inode) => this.#groupOfInode(inode) === group).length,
      flags,
      blockBitmapChecksum: blockSum,
      inodeBitmapChecksum: inodeSum,
    };
  }
}

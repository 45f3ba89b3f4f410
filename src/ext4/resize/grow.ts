/** Making ext2, ext3 and ext4 file systems larger, while they are not mounted: what resize2fs does when the blocks kept for descriptors suffice. */
import { clearBits, setBits } from '../../bytes/bitmap.ts';
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { sameBytes } from '../../bytes/text.ts';
import { Corrupt, Posix, Refused, Unsupported } from '../../errors.ts';
import { clearUnknown } from '../../io/clearing.ts';
import type { WritableDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { readBlockBitmap } from '../bitmaps.ts';
import { checkExt4 } from '../check/index.ts';
import { bitmapChecksum } from '../checksum.ts';
import { type NewDescriptor, writeDescriptor } from '../descriptor-write.ts';
import {
  COMPAT,
  EXT4_BG_BLOCK_UNINIT,
  EXT4_BG_INODE_UNINIT,
  EXT4_BG_INODE_ZEROED,
  EXT4_ERROR_FS,
  EXT4_INODE_128,
  EXT4_RESIZE_INO,
  EXT4_SUPER_BLOCK,
  INCOMPAT,
  type RawSuperblock,
  RO_COMPAT,
} from '../format/index.ts';
import { sealInode } from '../inode-seal.ts';
import { inodeOffset, readInodeBytes } from '../inode-table.ts';
import { blocksInGroup, descriptorBlockCopies, descriptorBlockLocation, descriptorsPerBlock, groupFirstBlock } from '../layout.ts';
import { Space } from '../mkfs/space.ts';
import { sealSuperblock, writeSuperblocks } from '../mkfs/superblock.ts';
import { placeTables, type Tables, takeCopies } from '../mkfs/tables.ts';
import { resizeInodeMap } from '../resize-inode.ts';
import { parseSuperblock, type Superblock } from '../superblock.ts';
import { asOne, superblockBytes } from '../tune/settings.ts';
import { Volume } from '../volume.ts';
import { type Growth, grownTo } from './geometry.ts';

const TWO_32 = 2 ** 32;

export interface GrowExt4Options {
  /** Blocks of the file system; default as many as the device holds. */
  readonly blocks?: number;
  /** Seconds since 1970, for the time of writing. */
  readonly now: number;
}

/**
 * Gives a file system that is not mounted more blocks; the blocks that it has then, which may be a few less than asked where the last group would hold
 * nothing but its own tables. The file system is checked first. One transaction of the device. Throws Refused for a file system that has to be
 * checked or recovered before, Unsupported by feature, and where no room was kept for the descriptors; Posix (EINVAL) for fewer blocks than it has,
 * Posix (ENOSPC) for more than the device holds.
 */
export function* growExt4(device: WritableDevice, options: GrowExt4Options): Io<number> {
  return yield* asOne(device, function* () {
    const bytes = yield* superblockBytes(device);
    const before = parseSuperblock(bytes);
    const blocks = options.blocks ?? Math.floor(device.size / before.blockSize);
    if (blocks * before.blockSize > device.size) {
      throw new Posix('ENOSPC', { layer: 'ext4' }, `the device holds ${Math.floor(device.size / before.blockSize)} blocks, not ${blocks}`);
    }
    if (blocks < before.blocksCount) {
      throw new Posix('EINVAL', { layer: 'ext4' }, `it has ${before.blocksCount} blocks already`);
    }
    const growth = grownTo(before, blocks);
    if (growth === undefined) return before.blocksCount;
    refuse(before);
    const { problems } = yield* checkExt4(device);
    if (problems.length > 0) throw new Refused(`the file system has to be repaired first: ${problems[0]}`, { layer: 'ext4' });
    const grown = bytes.slice();
    EXT4_SUPER_BLOCK.write(grown, 0, sizesOf(before, growth));
    sealSuperblock(grown);
    yield* new Grower(device, before, parseSuperblock(grown)).run(grown, options.now);
    return growth.blocksCount;
  });
}

function refuse({ incompat, roCompat, raw, readOnlyReason }: Superblock): void {
  const where = { layer: 'ext4' };
  if ((roCompat & RO_COMPAT.bigalloc) !== 0) throw new Unsupported('bigalloc', 'a file system with bigalloc cannot be made larger', where);
  if ((incompat & INCOMPAT.mmp) !== 0) throw new Unsupported('mmp', 'a file system with mmp cannot be made larger', where);
  if (readOnlyReason !== undefined) throw new Unsupported('resize', `this file system must not be written: ${readOnlyReason}`, where);
  const orphans = raw.s_last_orphan !== 0 || (roCompat & RO_COMPAT.orphan_present) !== 0;
  if ((incompat & INCOMPAT.needs_recovery) !== 0 || orphans || (raw.s_state & EXT4_ERROR_FS) !== 0) {
    throw new Refused('the file system has to be recovered or repaired first: mount it once, or check it', where);
  }
}

function sizesOf(before: Superblock, growth: Growth): Partial<RawSuperblock> {
  return {
    s_blocks_count_lo: growth.blocksCount % TWO_32,
    s_blocks_count_hi: Math.floor(growth.blocksCount / TWO_32),
    s_r_blocks_count_lo: growth.reservedBlocks % TWO_32,
    s_r_blocks_count_hi: Math.floor(growth.reservedBlocks / TWO_32),
    s_inodes_count: growth.groupCount * before.inodesPerGroup,
    s_reserved_gdt_blocks: growth.reservedGdtBlocks,
  };
}

class Grower {
  readonly #device: WritableDevice;
  readonly #before: Superblock;
  readonly #after: Superblock;
  readonly #volume: Volume;
  /** What of the new blocks is taken; all old ones count as taken. */
  readonly #space: Space;
  readonly #descriptorBlocks: Bytes[] = [];

  constructor(device: WritableDevice, before: Superblock, after: Superblock) {
    this.#device = device;
    this.#before = before;
    this.#after = after;
    this.#volume = new Volume(device, before);
    this.#space = new Space(after.blocksCount);
  }

  *run(superblock: Bytes, now: number): Io<void> {
    const [before, after] = [this.#before, this.#after];
    this.#space.take(0, before.blocksCount);
    takeCopies(after, this.#space, before.groupCount);
    const tables = placeTables(after, this.#space, before.groupCount);
    const free = this.#space.freeIn(before.blocksCount, after.blocksCount);
    yield* this.#readDescriptors();
    yield* this.#lastGroup();
    for (let group = before.groupCount; group < after.groupCount; group++) yield* this.#newGroup(group, tables);
    if ((after.compat & COMPAT.resize_inode) !== 0) yield* this.#resizeInode();
    yield* this.#writeDescriptors();
    const allFree = before.raw.s_free_blocks_count_hi * TWO_32 + before.raw.s_free_blocks_count_lo + free;
    const overhead = before.raw.s_overhead_clusters;
    EXT4_SUPER_BLOCK.write(superblock, 0, {
      s_free_blocks_count_lo: allFree % TWO_32,
      s_free_blocks_count_hi: Math.floor(allFree / TWO_32),
      s_free_inodes_count: before.raw.s_free_inodes_count + (after.groupCount - before.groupCount) * after.inodesPerGroup,
      // Zero: the kernel counts it itself.
      s_overhead_clusters: overhead === 0 ? 0 : overhead + (after.blocksCount - before.blocksCount - free),
      s_wtime: now % TWO_32,
      s_wtime_hi: Math.floor(now / TWO_32) & 0xff,
    });
    sealSuperblock(superblock);
    yield* writeSuperblocks(this.#device, after, superblock);
  }

  *#readDescriptors(): Io<void> {
    const before = this.#before;
    const { blockSize } = before;
    const perBlock = descriptorsPerBlock(before);
    // Each is verified; a wrong one would be copied everywhere.
    for (let group = 0; group < before.groupCount; group++) yield* this.#volume.groups.descriptor(group);
    for (let index = 0; index * perBlock < before.groupCount; index++) {
      this.#descriptorBlocks.push((yield* this.#device.read(descriptorBlockLocation(before, index) * blockSize, blockSize)).slice());
    }
  }

  #writeDescriptor(group: number, descriptor: NewDescriptor): void {
    const perBlock = descriptorsPerBlock(this.#after);
    const index = Math.floor(group / perBlock);
    this.#descriptorBlocks[index] ??= new Uint8Array(this.#after.blockSize);
    const at = (group - index * perBlock) * this.#after.groupDescriptorSize;
    writeDescriptor(this.#after, this.#descriptorBlocks[index], at, group, descriptor);
  }

  /** The group that was the last one may have got more blocks, and tables of others in them. */
  *#lastGroup(): Io<void> {
    const [before, after] = [this.#before, this.#after];
    const group = before.groupCount - 1;
    const first = groupFirstBlock(after, group);
    const [from, to] = [blocksInGroup(before, group), blocksInGroup(after, group)];
    if (from === to) return;
    const bitmap = yield* readBlockBitmap(this.#volume, group);
    clearBits(bitmap, from, to);
    for (const run of this.#space.taken(first + from, first + to)) setBits(bitmap, run.start - first, run.end - first);
    const descriptor = yield* this.#volume.groups.descriptor(group);
    yield* this.#device.write(descriptor.blockBitmap * after.blockSize, bitmap);
    this.#writeDescriptor(group, {
      ...descriptor,
      freeClusters: descriptor.freeClusters + this.#space.freeIn(first + from, first + to),
      flags: descriptor.flags & ~EXT4_BG_BLOCK_UNINIT,
      blockBitmapChecksum: this.#checksum(bitmap, after.clustersPerGroup),
    });
  }

  #checksum(bitmap: Bytes, bits: number): number {
    const { metadataCsum, checksumSeed } = this.#after;
    return metadataCsum ? bitmapChecksum(checksumSeed, bitmap, Math.floor(bits / 8)) : 0;
  }

  *#newGroup(group: number, tables: Tables): Io<void> {
    const { blockSize, inodesPerGroup, inodeSize, clustersPerGroup, metadataCsum, gdtCsum } = this.#after;
    const first = groupFirstBlock(this.#after, group);
    const blocks = blocksInGroup(this.#after, group);
    const [blockBitmap, inodeBitmap, inodeTable] = [tables.blockBitmap[group]!, tables.inodeBitmap[group]!, tables.inodeTable[group]!];
    const bitmap = new Uint8Array(blockSize);
    for (const run of this.#space.taken(first, first + blocks)) setBits(bitmap, run.start - first, run.end - first);
    setBits(bitmap, blocks, blockSize * 8);
    yield* this.#device.write(blockBitmap * blockSize, bitmap);
    const checksums = metadataCsum || gdtCsum;
    const table = { offset: inodeTable * blockSize, length: Math.ceil((inodesPerGroup * inodeSize) / blockSize) * blockSize };
    let zeroed = true;
    if (checksums) zeroed = yield* this.#isZero(table.offset, table.length);
    else {
      yield* clearUnknown(this.#device, table.offset, table.length);
      const inodes = new Uint8Array(blockSize);
      setBits(inodes, inodesPerGroup, blockSize * 8);
      yield* this.#device.write(inodeBitmap * blockSize, inodes);
    }
    this.#writeDescriptor(group, {
      blockBitmap,
      inodeBitmap,
      inodeTable,
      freeClusters: this.#space.freeIn(first, first + blocks),
      freeInodes: inodesPerGroup,
      usedDirectories: 0,
      unusedInodes: checksums ? inodesPerGroup : 0,
      // A table that is not known to be zeros is cleared by the kernel in its time.
      flags: checksums ? EXT4_BG_INODE_UNINIT | (zeroed ? EXT4_BG_INODE_ZEROED : 0) : 0,
      blockBitmapChecksum: this.#checksum(bitmap, clustersPerGroup),
      inodeBitmapChecksum: 0,
    });
  }

  /** Whether the device knows a range to be zeros without reading it. */
  *#isZero(offset: number, length: number): Io<boolean> {
    for (let at = offset; at < offset + length; ) {
      const extent = yield* this.#device.map(at, offset + length - at);
      if (!extent.zero) return false;
      at += extent.length;
    }
    return true;
  }

  /** Blocks that hold descriptors now are no longer kept; those that still are have counterparts in the new groups. */
  *#resizeInode(): Io<void> {
    const after = this.#after;
    const { blockSize, blocksCount } = after;
    const inode = (yield* readInodeBytes(this.#volume, EXT4_RESIZE_INO)).slice();
    const double = viewOf(EXT4_INODE_128.read(inode).i_block).getUint32(13 * 4, true);
    const offset = double * blockSize;
    const known = resizeInodeMap(this.#before);
    if (!(double > 0 && double < blocksCount) || !sameBytes(yield* this.#device.read(offset, blockSize), known.map)) {
      throw new Corrupt('the inode that keeps blocks for descriptors does not name those that belong to it; e2fsck repairs it', {
        layer: 'ext4',
        inode: EXT4_RESIZE_INO,
      });
    }
    const { map, lists, blocks } = resizeInodeMap(after);
    for (const { block, bytes } of lists) yield* this.#device.write(block * blockSize, bytes);
    yield* this.#device.write(offset, map);
    const sectors = (blocks * blockSize) / 512;
    EXT4_INODE_128.write(inode, 0, { i_blocks_lo: sectors % TWO_32, i_blocks_high: Math.floor(sectors / TWO_32) });
    sealInode(after, inode, EXT4_RESIZE_INO);
    yield* this.#device.write(yield* inodeOffset(this.#volume, EXT4_RESIZE_INO), inode);
  }

  *#writeDescriptors(): Io<void> {
    for (const [index, bytes] of this.#descriptorBlocks.entries()) {
      for (const block of descriptorBlockCopies(this.#after, index)) yield* this.#device.write(block * this.#after.blockSize, bytes);
    }
  }
}

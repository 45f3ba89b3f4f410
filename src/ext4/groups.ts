/** Group descriptors: read on demand, kept as they stand on the disk, each verified before it is used. */
import { type Bytes, joinU64, viewOf } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { groupDescriptorChecksum, groupDescriptorCrc16 } from './checksum.ts';
import type { Complaints } from './complaints.ts';
import { EXT4_GROUP_DESC_32, EXT4_GROUP_DESC_64, type RawGroupDescriptor } from './format/index.ts';
import { descriptorBlockLocation, descriptorsPerBlock } from './layout.ts';
import type { Superblock } from './superblock.ts';

/** A group descriptor with its halves joined. Locations are block numbers inside of the file system. */
export interface GroupDescriptor {
  readonly group: number;
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  readonly inodeTable: number;
  /** In clusters. */
  readonly freeClusters: number;
  readonly freeInodes: number;
  readonly usedDirectories: number;
  /** `EXT4_BG_*`. */
  readonly flags: number;
  readonly unusedInodes: number;
  readonly blockBitmapChecksum: number;
  readonly inodeBitmapChecksum: number;
}

/** A block of descriptors in memory. */
interface DescriptorBlock {
  readonly bytes: Bytes;
  readonly view: DataView;
  /** Which descriptors of the block passed their checks; 0: not looked at. */
  readonly verified: Uint8Array;
}

export class GroupTable {
  readonly #device: BlockDevice;
  readonly #superblock: Superblock;
  readonly #complaints: Complaints;
  readonly #fromGroup: number;
  readonly #perBlock: number;
  readonly #blocks = new Map<number, DescriptorBlock>();

  /** `fromGroup`: the group whose superblock is in use; its copy of the descriptors is read. */
  constructor(device: BlockDevice, superblock: Superblock, complaints: Complaints, fromGroup: number) {
    this.#device = device;
    this.#superblock = superblock;
    this.#complaints = complaints;
    this.#fromGroup = fromGroup;
    this.#perBlock = descriptorsPerBlock(superblock);
  }

  /** Byte offset on the device of a group's descriptor. */
  descriptorOffset(group: number): number {
    const index = Math.floor(group / this.#perBlock);
    const within = (group - index * this.#perBlock) * this.#superblock.groupDescriptorSize;
    return descriptorBlockLocation(this.#superblock, index, this.#fromGroup) * this.#superblock.blockSize + within;
  }

  /** The first block of a group's inode table, if its descriptor is in memory and was found good. */
  peekInodeTable(group: number): number | undefined {
    const index = Math.floor(group / this.#perBlock);
    const block = this.#blocks.get(index);
    const slot = group - index * this.#perBlock;
    if (block === undefined || block.verified[slot] === 0) return undefined;
    const at = slot * this.#superblock.groupDescriptorSize;
    const low = block.view.getUint32(at + 8, true);
    return this.#superblock.groupDescriptorSize >= 64 ? joinU64(block.view.getUint32(at + 0x28, true), low) : low;
  }

  /** A descriptor. Throws Corrupt for a wrong checksum or for locations outside of the file system. */
  *descriptor(group: number): Io<GroupDescriptor> {
    const superblock = this.#superblock;
    if (!(group >= 0 && group < superblock.groupCount)) throw new Corrupt(`there is no block group ${group}`, { layer: 'ext4' });
    const index = Math.floor(group / this.#perBlock);
    const block = this.#blocks.get(index) ?? (yield* this.#load(index));
    const slot = group - index * this.#perBlock;
    const at = slot * superblock.groupDescriptorSize;
    if (block.verified[slot] === 0) this.#verifyChecksum(group, block.bytes, at);
    const raw = readRaw(block.bytes, at, superblock.groupDescriptorSize);
    const descriptor = joinHalves(group, raw);
    if (block.verified[slot] === 0) {
      this.#verifyLocations(descriptor);
      block.verified[slot] = 1;
    }
    return descriptor;
  }

  /** A descriptor that was read and verified before. */
  protected peek(group: number): GroupDescriptor | undefined {
    const place = this.bytesOf(group);
    return place === undefined ? undefined : joinHalves(group, readRaw(place.block, place.at, this.#superblock.groupDescriptorSize));
  }

  /** Forgets what was read: after the device's contents changed. */
  clear(): void {
    this.#blocks.clear();
  }

  /** The bytes of a descriptor that was read before, in the block of descriptors that holds it. */
  protected bytesOf(group: number): { readonly block: Bytes; readonly at: number } | undefined {
    const index = Math.floor(group / this.#perBlock);
    const block = this.#blocks.get(index);
    return block === undefined
      ? undefined
      : { block: block.bytes, at: (group - index * this.#perBlock) * this.#superblock.groupDescriptorSize };
  }

  *#load(index: number): Io<DescriptorBlock> {
    const { blockSize } = this.#superblock;
    const number = descriptorBlockLocation(this.#superblock, index, this.#fromGroup);
    const bytes = (yield* this.#device.read(number * blockSize, blockSize)).slice();
    const block = { bytes, view: viewOf(bytes), verified: new Uint8Array(this.#perBlock) };
    this.#blocks.set(index, block);
    return block;
  }

  #verifyChecksum(group: number, bytes: Bytes, at: number): void {
    const { metadataCsum, gdtCsum, checksumSeed, uuid, groupDescriptorSize } = this.#superblock;
    if (!metadataCsum && !gdtCsum) return;
    const expected = metadataCsum
      ? groupDescriptorChecksum(checksumSeed, group, bytes, at, groupDescriptorSize)
      : groupDescriptorCrc16(uuid, group, bytes, at, groupDescriptorSize);
    if (expected !== bytes[at + 0x1e]! + bytes[at + 0x1f]! * 256) {
      this.#complaints.mismatch(`descriptor of block group ${group}`, { offset: this.descriptorOffset(group) });
    }
  }

  #verifyLocations(descriptor: GroupDescriptor): void {
    const { firstDataBlock, blocksCount, inodesPerGroup, inodeSize, blockSize } = this.#superblock;
    const tableBlocks = Math.ceil((inodesPerGroup * inodeSize) / blockSize);
    const inside = (block: number, count: number): boolean => block >= firstDataBlock && block + count <= blocksCount;
    const { group, blockBitmap, inodeBitmap, inodeTable } = descriptor;
    if (!inside(blockBitmap, 1) || !inside(inodeBitmap, 1) || !inside(inodeTable, tableBlocks)) {
      throw new Corrupt(
        `block group ${group}: its block bitmap ${blockBitmap}, inode bitmap ${inodeBitmap} or inode table ${inodeTable} lies outside of the ${blocksCount} blocks`,
        { layer: 'ext4', offset: this.descriptorOffset(group) },
      );
    }
  }
}

function readRaw(bytes: Bytes, at: number, size: number): RawGroupDescriptor {
  if (size >= 64) return EXT4_GROUP_DESC_64.read(bytes, at);
  return { ...NO_HIGH_HALVES, ...EXT4_GROUP_DESC_32.read(bytes, at) };
}

const NO_HIGH_HALVES: RawGroupDescriptor = EXT4_GROUP_DESC_64.read(new Uint8Array(64));

function joinHalves(group: number, raw: RawGroupDescriptor): GroupDescriptor {
  return {
    group,
    blockBitmap: joinU64(raw.bg_block_bitmap_hi, raw.bg_block_bitmap_lo),
    inodeBitmap: joinU64(raw.bg_inode_bitmap_hi, raw.bg_inode_bitmap_lo),
    inodeTable: joinU64(raw.bg_inode_table_hi, raw.bg_inode_table_lo),
    freeClusters: raw.bg_free_blocks_count_hi * 65536 + raw.bg_free_blocks_count_lo,
    freeInodes: raw.bg_free_inodes_count_hi * 65536 + raw.bg_free_inodes_count_lo,
    usedDirectories: raw.bg_used_dirs_count_hi * 65536 + raw.bg_used_dirs_count_lo,
    flags: raw.bg_flags,
    unusedInodes: raw.bg_itable_unused_hi * 65536 + raw.bg_itable_unused_lo,
    blockBitmapChecksum: raw.bg_block_bitmap_csum_hi * 65536 + raw.bg_block_bitmap_csum_lo,
    inodeBitmapChecksum: raw.bg_inode_bitmap_csum_hi * 65536 + raw.bg_inode_bitmap_csum_lo,
  };
}

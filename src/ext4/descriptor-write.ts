/** Group descriptors as bytes: written, and summed up. */
import type { Bytes } from '../bytes/struct.ts';
import { viewOf } from '../bytes/struct.ts';
import { groupDescriptorChecksum, groupDescriptorCrc16 } from './checksum.ts';
import { EXT4_GROUP_DESC_32, EXT4_GROUP_DESC_64, type RawGroupDescriptor } from './format/index.ts';
import type { GroupDescriptor } from './groups.ts';
import type { Superblock } from './superblock.ts';

const TWO_16 = 2 ** 16;
const TWO_32 = 2 ** 32;

/** What the descriptor of a group says. */
export type NewDescriptor = Omit<GroupDescriptor, 'group'>;

/** Writes the descriptor of a group at `bytes[at]`, with its checksum where the file system has one. */
export function writeDescriptor(superblock: Superblock, bytes: Bytes, at: number, group: number, descriptor: NewDescriptor): void {
  const fields: RawGroupDescriptor = {
    ...NO_DESCRIPTOR,
    ...halves(descriptor.blockBitmap, TWO_32, 'bg_block_bitmap_lo', 'bg_block_bitmap_hi'),
    ...halves(descriptor.inodeBitmap, TWO_32, 'bg_inode_bitmap_lo', 'bg_inode_bitmap_hi'),
    ...halves(descriptor.inodeTable, TWO_32, 'bg_inode_table_lo', 'bg_inode_table_hi'),
    ...halves(descriptor.freeClusters, TWO_16, 'bg_free_blocks_count_lo', 'bg_free_blocks_count_hi'),
    ...halves(descriptor.freeInodes, TWO_16, 'bg_free_inodes_count_lo', 'bg_free_inodes_count_hi'),
    ...halves(descriptor.usedDirectories, TWO_16, 'bg_used_dirs_count_lo', 'bg_used_dirs_count_hi'),
    ...halves(descriptor.unusedInodes, TWO_16, 'bg_itable_unused_lo', 'bg_itable_unused_hi'),
    ...halves(descriptor.blockBitmapChecksum, TWO_16, 'bg_block_bitmap_csum_lo', 'bg_block_bitmap_csum_hi'),
    ...halves(descriptor.inodeBitmapChecksum, TWO_16, 'bg_inode_bitmap_csum_lo', 'bg_inode_bitmap_csum_hi'),
    bg_flags: descriptor.flags,
  };
  if (superblock.groupDescriptorSize >= 64) EXT4_GROUP_DESC_64.write(bytes, at, fields);
  else {
    const { bg_block_bitmap_hi, ...rest } = fields;
    EXT4_GROUP_DESC_32.write(bytes, at, rest);
  }
  sealDescriptor(superblock, bytes, at, group);
}

/** Sums up a descriptor, where the file system has checksums for them; `seed` where it is not that of the superblock. */
export function sealDescriptor(
  superblock: Pick<Superblock, 'metadataCsum' | 'gdtCsum' | 'checksumSeed' | 'uuid' | 'groupDescriptorSize'>,
  bytes: Bytes,
  at: number,
  group: number,
): void {
  const { metadataCsum, gdtCsum, checksumSeed, uuid, groupDescriptorSize: size } = superblock;
  if (metadataCsum) viewOf(bytes).setUint16(at + 0x1e, groupDescriptorChecksum(checksumSeed, group, bytes, at, size), true);
  else if (gdtCsum) viewOf(bytes).setUint16(at + 0x1e, groupDescriptorCrc16(uuid, group, bytes, at, size), true);
}

const NO_DESCRIPTOR: RawGroupDescriptor = EXT4_GROUP_DESC_64.read(new Uint8Array(64));

function halves<Low extends string, High extends string>(value: number, base: number, low: Low, high: High): Record<Low | High, number> {
  return { [low]: value % base, [high]: Math.floor(value / base) } as Record<Low | High, number>;
}

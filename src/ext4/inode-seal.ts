/** The checksum of an inode, put into its bytes. */
import type { Bytes } from '../bytes/struct.ts';
import { hasChecksumHigh, inodeChecksum } from './checksum.ts';
import { EXT4_INODE, EXT4_INODE_128 } from './format/index.ts';
import type { Superblock } from './superblock.ts';

/** Sums up the `s_inode_size` bytes of an inode, where the file system has checksums. */
export function sealInode({ metadataCsum, checksumSeed, inodeSize }: Superblock, bytes: Bytes, number: number): void {
  if (!metadataCsum) return;
  const sum = inodeChecksum(checksumSeed, number, bytes, 0, inodeSize);
  EXT4_INODE_128.write(bytes, 0, { i_checksum_lo: sum & 0xffff });
  if (hasChecksumHigh(bytes, 0, inodeSize)) EXT4_INODE.write(bytes, 0, { i_checksum_hi: sum >>> 16 });
}

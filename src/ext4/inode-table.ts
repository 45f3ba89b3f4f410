/** Reading inodes from their tables. */
import type { Bytes } from '../bytes/struct.ts';
import { viewOf } from '../bytes/struct.ts';
import { isZero } from '../bytes/text.ts';
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { hasChecksumHigh, inodeChecksum } from './checksum.ts';
import { EXT4_ROOT_INO } from './format/index.ts';
import { type Inode, parseInode } from './inode.ts';
import type { Volume } from './volume.ts';

/** Byte offset on the device of an inode. Throws Corrupt for a number that the file system does not have. */
export function* inodeOffset(volume: Volume, number: number): Io<number> {
  const { inodesCount, inodesPerGroup, inodeSize, blockSize } = volume.superblock;
  if (!(Number.isInteger(number) && number >= 1 && number <= inodesCount)) {
    throw new Corrupt(`there is no inode ${number}: the file system has ${inodesCount}`, { layer: 'ext4' });
  }
  const group = Math.floor((number - 1) / inodesPerGroup);
  const table = volume.groups.peekInodeTable(group) ?? (yield* volume.groups.descriptor(group)).inodeTable;
  return table * blockSize + (number - 1 - group * inodesPerGroup) * inodeSize;
}

/** The bytes of an inode, its checksum verified: `s_inode_size` of them, a view of the cache. */
export function* readInodeBytes(volume: Volume, number: number): Io<Bytes> {
  const pending = volume.pendingInode(number);
  if (pending !== undefined) return pending;
  const offset = yield* inodeOffset(volume, number);
  const bytes = yield* volume.cache.read(offset, volume.superblock.inodeSize);
  const { checksumSeed, metadataCsum } = volume.superblock;
  if (volume.fastCommits?.hasInode(number)) return volume.fastCommits.inodeBytes(number, bytes, metadataCsum ? checksumSeed : undefined);
  if (metadataCsum) verifyInode(volume, number, bytes, offset);
  return bytes;
}

function verifyInode(volume: Volume, number: number, bytes: Bytes, offset: number): void {
  const { checksumSeed, inodeSize } = volume.superblock;
  const sum = inodeChecksum(checksumSeed, number, bytes, 0, inodeSize);
  const low = bytes[0x7c]! + bytes[0x7d]! * 256;
  const matches = hasChecksumHigh(bytes, 0, inodeSize) ? sum === low + (bytes[0x82]! + bytes[0x83]! * 256) * 65536 : (sum & 0xffff) === low;
  // An inode that was never used has no checksum.
  if (!matches && !isZero(bytes, 0, 128)) volume.complaints.mismatch('inode', { inode: number, offset });
}

/** Any inode, hidden ones too. Throws Corrupt for one that the kernel would refuse. */
export function* readInode(volume: Volume, number: number): Io<Inode> {
  const known = volume.inodes.get(number);
  if (known !== undefined) return known;
  const bytes = yield* readInodeBytes(volume, number);
  const inode = parseInode(volume.superblock, number, viewOf(bytes), 0);
  volume.inodes.set(number, inode);
  return inode;
}

/** An inode that a directory may name: neither reserved, nor one of the hidden files, nor deleted. */
export function* readNode(volume: Volume, number: number): Io<Inode> {
  const inode = volume.inodes.get(number) ?? (yield* readInode(volume, number));
  if (isHidden(volume, number)) throw new Corrupt('a reserved inode stands in a directory', { layer: 'ext4', inode: number });
  if (inode.links === 0) throw new Corrupt('a deleted inode stands in a directory', { layer: 'ext4', inode: number });
  return inode;
}

/** Whether an inode belongs to the file system itself: reserved numbers, quota files, the orphan file. */
export function isHidden(volume: Volume, number: number): boolean {
  const { raw, firstInode } = volume.superblock;
  if (number < firstInode) return number !== EXT4_ROOT_INO;
  return (
    number === raw.s_usr_quota_inum ||
    number === raw.s_grp_quota_inum ||
    number === raw.s_prj_quota_inum ||
    number === raw.s_orphan_file_inum
  );
}

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
  const { inodeSize } = volume.superblock;
  const offset = yield* inodeOffset(volume, number);
  if (offset + inodeSize > volume.cache.size) throw beyondTheEnd(number, offset);
  const page = yield* volume.cache.page(Math.floor(offset / volume.cache.pageSize));
  const at = offset % volume.cache.pageSize;
  const changed = changedInMemory(volume, number, page.bytes, at);
  if (changed !== undefined) return changed;
  if (volume.superblock.metadataCsum) verifyInode(volume, number, page.bytes, at, offset);
  return page.bytes.subarray(at, at + inodeSize);
}

function beyondTheEnd(number: number, offset: number): Corrupt {
  return new Corrupt('the device ends before the inode', { layer: 'ext4', inode: number, offset });
}

/** The inode's bytes where they are not those of the device: a writer has changed it, or a fast commit. */
function changedInMemory(volume: Volume, number: number, bytes: Bytes, at: number): Bytes | undefined {
  const pending = volume.pendingInode(number);
  if (pending !== undefined) return pending;
  if (volume.fastCommits === undefined || !volume.fastCommits.hasInode(number)) return undefined;
  const { checksumSeed, metadataCsum, inodeSize } = volume.superblock;
  return volume.fastCommits.inodeBytes(number, bytes.subarray(at, at + inodeSize), metadataCsum ? checksumSeed : undefined);
}

function verifyInode(volume: Volume, number: number, bytes: Bytes, at: number, offset: number): void {
  const { checksumSeed, inodeSize } = volume.superblock;
  const sum = inodeChecksum(checksumSeed, number, bytes, at, inodeSize);
  const low = bytes[at + 0x7c]! + bytes[at + 0x7d]! * 256;
  const matches = hasChecksumHigh(bytes, at, inodeSize)
    ? sum === low + (bytes[at + 0x82]! + bytes[at + 0x83]! * 256) * 65536
    : (sum & 0xffff) === low;
  // An inode that was never used has no checksum.
  if (!matches && !isZero(bytes, at, at + 128)) volume.complaints.mismatch('inode', { inode: number, offset });
}

/** Any inode, hidden ones too. Throws Corrupt for one that the kernel would refuse. */
export function* readInode(volume: Volume, number: number): Io<Inode> {
  return volume.inodes.get(number) ?? (yield* loadInode(volume, number));
}

function* loadInode(volume: Volume, number: number): Io<Inode> {
  const { cache, superblock } = volume;
  const offset = yield* inodeOffset(volume, number);
  // An inode lies in one page: both are powers of two, and a page is no smaller than a block.
  if (offset + superblock.inodeSize > cache.size) throw beyondTheEnd(number, offset);
  const index = Math.floor(offset / cache.pageSize);
  const page = cache.peek(index) ?? (yield* cache.page(index));
  const at = offset - index * cache.pageSize;
  const changed = changedInMemory(volume, number, page.bytes, at);
  if (changed === undefined && superblock.metadataCsum) verifyInode(volume, number, page.bytes, at, offset);
  const inode =
    changed === undefined
      ? parseInode(superblock, number, page.bytes, page.view, at)
      : parseInode(superblock, number, changed, viewOf(changed), 0);
  volume.inodes.set(number, inode);
  return inode;
}

/** An inode that a directory may name: neither reserved, nor one of the hidden files, nor deleted. */
export function* readNode(volume: Volume, number: number): Io<Inode> {
  return checkNode(volume, number, volume.inodes.get(number) ?? (yield* loadInode(volume, number)));
}

/** The same, if it is in memory. */
export function peekNode(volume: Volume, number: number): Inode | undefined {
  const inode = volume.inodes.get(number);
  return inode === undefined ? undefined : checkNode(volume, number, inode);
}

function checkNode(volume: Volume, number: number, inode: Inode): Inode {
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

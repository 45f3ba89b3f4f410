/** The blocks of a directory being changed: reading them for a change, writing them with their checksums, adding one. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { Corrupt, Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { indexBlockChecksum, inodeSeed } from '../checksum.ts';
import { countLimitOffset } from '../directory.ts';
import { checkBlock, directoryForm } from '../directory-read.ts';
import { DX_COUNTLIMIT_STRUCT, DX_TAIL_STRUCT, INCOMPAT } from '../format/index.ts';
import { findRun, peekRun } from '../mapping.ts';
import { prepareDirectoryTail, sealDirectoryBlock } from './directory-block.ts';
import { takeBlocks } from './file-blocks.ts';
import type { InodeEdit } from './inode-edit.ts';
import type { WritableVolume } from './writable-volume.ts';

/** A block of a directory in hand. */
export interface DirectoryBlock {
  readonly logical: number;
  readonly physical: number;
  /** For changing. */
  readonly bytes: Bytes;
}

/** Directories end here without the feature large_dir, whose sizes have 64 bits. */
const MAX_SIZE = 0x7fff_ffff;

/** How many blocks a directory has. */
export function blockCount(volume: WritableVolume, edit: InodeEdit): number {
  return Math.ceil(edit.inode.size / volume.superblock.blockSize);
}

/** A block of the directory, its checksum and entries verified; see {@link WritableVolume.blockForChange}. */
export function* readForChange(volume: WritableVolume, edit: InodeEdit, logical: number): Io<DirectoryBlock> {
  const { inode } = edit;
  const run = yield* findRun(volume, inode, logical);
  if (run.zero || run.physical === undefined) {
    throw new Corrupt(`directory: block ${logical} is a hole`, { layer: 'ext4', inode: inode.number });
  }
  const bytes = yield* volume.blockForChange(run.physical, inode.number);
  checkBlock(volume, inode, directoryForm(volume, inode), bytes, logical, run.physical * volume.superblock.blockSize);
  return { logical, physical: run.physical, bytes };
}

/** The same, if it is in memory and was verified before. */
export function peekForChange(volume: WritableVolume, edit: InodeEdit, logical: number): DirectoryBlock | undefined {
  const run = peekRun(volume, edit.inode, logical);
  if (run === undefined || run.zero || run.physical === undefined) return undefined;
  const { blockSize } = volume.superblock;
  const place = run.physical * blockSize;
  const bytes = volume.soundBlocks.get(place) === edit.number ? volume.cache.peekRange(place, blockSize) : undefined;
  return bytes === undefined ? undefined : { logical, physical: run.physical, bytes };
}

/** Adds a block at the end of a directory; its bytes are zero and not written yet. */
export function* appendBlock(volume: WritableVolume, edit: InodeEdit): Io<DirectoryBlock> {
  const { blockSize, incompat } = volume.superblock;
  const logical = blockCount(volume, edit);
  const size = (logical + 1) * blockSize;
  if (size > MAX_SIZE && (incompat & INCOMPAT.large_dir) === 0)
    throw new Posix('ENOSPC', { layer: 'ext4', inode: edit.number }, 'the directory is full');
  const [run] = yield* takeBlocks(volume, edit, logical, 1);
  if (run === undefined) throw new Posix('ENOSPC', { layer: 'ext4', inode: edit.number });
  edit.setSize(size);
  return { logical, physical: run.physical, bytes: new Uint8Array(blockSize) };
}

/** Writes a block of entries. */
export function* writeLeaf(volume: WritableVolume, edit: InodeEdit, block: DirectoryBlock): Io<void> {
  sealLeaf(volume, edit, block);
  yield* writeSound(volume, edit, block);
}

/** The same where it takes no step outside; false: it is not written. */
export function writeLeafNow(volume: WritableVolume, edit: InodeEdit, block: DirectoryBlock): boolean {
  sealLeaf(volume, edit, block);
  const place = block.physical * volume.superblock.blockSize;
  if (!volume.cache.writeNow(place, block.bytes)) return false;
  volume.soundBlocks.set(place, edit.number);
  return true;
}

function sealLeaf(volume: WritableVolume, edit: InodeEdit, block: DirectoryBlock): void {
  if (!volume.superblock.metadataCsum) return;
  if (volume.openTransactions === 0) sealDirectoryBlock(block.bytes, seedOf(volume, edit));
  else {
    // Once, when all names that come into it are there.
    prepareDirectoryTail(block.bytes);
    volume.sealLater(block.physical, seedOf(volume, edit));
  }
}

/** Writes a block of the index: its root, or a node. */
export function* writeIndexBlock(volume: WritableVolume, edit: InodeEdit, block: DirectoryBlock): Io<void> {
  const { bytes } = block;
  const at = countLimitOffset(bytes, volume.superblock.blockSize);
  if (at === undefined)
    throw new Corrupt(`directory: block ${block.logical} is no part of an index`, { layer: 'ext4', inode: edit.number });
  if (volume.superblock.metadataCsum) {
    // It may have been one of entries before.
    volume.forgetSeals(block.physical, 1);
    const { count, limit } = DX_COUNTLIMIT_STRUCT.read(bytes, at);
    const tail = at + 8 * limit;
    DX_TAIL_STRUCT.write(bytes, tail, { dt_reserved: 0 });
    viewOf(bytes).setUint32(tail + 4, indexBlockChecksum(seedOf(volume, edit), bytes, at, count, limit), true);
  }
  yield* writeSound(volume, edit, block);
}

function* writeSound(volume: WritableVolume, edit: InodeEdit, block: DirectoryBlock): Io<void> {
  yield* volume.writeBlock(block.physical, block.bytes, edit.number);
  volume.soundBlocks.set(block.physical * volume.superblock.blockSize, edit.number);
}

function seedOf(volume: WritableVolume, edit: InodeEdit): number {
  return inodeSeed(volume.superblock.checksumSeed, edit.number, edit.generation);
}

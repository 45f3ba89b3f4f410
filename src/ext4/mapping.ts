/** From a file's logical blocks to the device's: extents or block maps, and what fast commits changed. */
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { findInBlockMap } from './block-map.ts';
import { findInExtents, peekInExtents } from './extents.ts';
import { EXT4_EXTENTS_FL } from './format/inode.ts';
import type { Inode } from './inode.ts';
import type { OverlayRange, RangeOverlay } from './journal/range-overlay.ts';
import type { BlockRun } from './run.ts';
import type { Volume } from './volume.ts';

/** The run of blocks that begins at `logical`: stored ones, or ones that read as zeros. Throws Corrupt for a map that is no map. */
export function findRun(volume: Volume, inode: Inode, logical: number): Io<BlockRun> {
  const changes = volume.fastCommits?.ranges(inode.number);
  return changes === undefined ? findOnDisk(volume, inode, logical) : findChanged(volume, inode, logical, changes);
}

/** The same, where the inode itself says it. */
export function peekRun(volume: Volume, inode: Inode, logical: number): BlockRun | undefined {
  if ((inode.flags & EXT4_EXTENTS_FL) === 0 || volume.fastCommits !== undefined) return undefined;
  return peekInExtents(volume, inode, logical);
}

function findOnDisk(volume: Volume, inode: Inode, logical: number): Io<BlockRun> {
  return (inode.flags & EXT4_EXTENTS_FL) !== 0 ? findInExtents(volume, inode, logical) : findInBlockMap(volume, inode, logical);
}

function* findChanged(volume: Volume, inode: Inode, logical: number, changes: RangeOverlay): Io<BlockRun> {
  const { range, length } = changes.at(logical);
  if (range !== undefined) return changedRun(volume, inode, range);
  const run = yield* findOnDisk(volume, inode, logical);
  return run.length <= length ? run : { ...run, length };
}

function changedRun(volume: Volume, inode: Inode, range: OverlayRange): BlockRun {
  const { logical, length, physical, uninitialized } = range;
  const { firstDataBlock, blocksCount } = volume.superblock;
  if (physical !== undefined && (physical <= firstDataBlock || physical + length > blocksCount)) {
    throw new Corrupt(`fast commit: ${length} blocks at ${physical} lie outside of the file system's ${blocksCount} blocks`, {
      layer: 'ext4',
      inode: inode.number,
    });
  }
  return { logical, length, physical, zero: physical === undefined || uninitialized };
}

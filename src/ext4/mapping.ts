/** From a file's logical blocks to the device's: extents or block maps. */
import type { Io } from '../io/effect.ts';
import { findInBlockMap } from './block-map.ts';
import { findInExtents } from './extents.ts';
import { EXT4_EXTENTS_FL } from './format/inode.ts';
import type { Inode } from './inode.ts';
import type { BlockRun } from './run.ts';
import type { Volume } from './volume.ts';

/** The run of blocks that begins at `logical`: stored ones, or ones that read as zeros. Throws Corrupt for a map that is no map. */
export function findRun(volume: Volume, inode: Inode, logical: number): Io<BlockRun> {
  return (inode.flags & EXT4_EXTENTS_FL) !== 0 ? findInExtents(volume, inode, logical) : findInBlockMap(volume, inode, logical);
}

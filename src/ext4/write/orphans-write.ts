/** Finishing what was being deleted or cut short when the machine stopped (fs/ext4/orphan.c). */
import { viewOf } from '../../bytes/struct.ts';
import type { Io } from '../../io/effect.ts';
import { inodeSeed, orphanBlockChecksum } from '../checksum.ts';
import { COMPAT, RO_COMPAT } from '../format/index.ts';
import { readInode } from '../inode-table.ts';
import { findRun } from '../mapping.ts';
import { EXT4_ORPHAN_BLOCK_TAIL, findOrphans } from '../orphans.ts';
import { deleteInode, hasBlocks } from './delete-inode.ts';
import { truncateData } from './file-write.ts';
import type { WritableVolume } from './writable-volume.ts';

/** Deletes orphans without a name, cuts the others to their size, and empties the list and the orphan file. */
export function* finishOrphans(volume: WritableVolume): Io<void> {
  const { superblock } = volume;
  const hasFile = (superblock.compat & COMPAT.orphan_file) !== 0 && (superblock.roCompat & RO_COMPAT.orphan_present) !== 0;
  if (superblock.raw.s_last_orphan === 0 && !hasFile) return;
  const { deleted, truncated } = yield* findOrphans(volume);
  for (const number of truncated) {
    const edit = yield* volume.edit(number);
    if (edit.inode.kind === 'file' && hasBlocks(volume, edit)) {
      // Nothing of a length is known but the size that it should have: what lies behind goes.
      yield* truncateData(volume, edit, edit.inode.size);
    }
    edit.change({ i_dtime: 0 });
  }
  for (const number of deleted) yield* deleteInode(volume, yield* volume.edit(number));
  if (hasFile) yield* emptyOrphanFile(volume);
  volume.changeSuperblock({
    s_last_orphan: 0,
    s_feature_ro_compat: (volume.superblock.roCompat & ~RO_COMPAT.orphan_present) >>> 0,
  });
}

function* emptyOrphanFile(volume: WritableVolume): Io<void> {
  const { superblock } = volume;
  const file = yield* readInode(volume, superblock.raw.s_orphan_file_inum);
  const seed = inodeSeed(superblock.checksumSeed, file.number, file.generation);
  for (let logical = 0; logical * superblock.blockSize < file.size; logical++) {
    const run = yield* findRun(volume, file, logical);
    if (run.physical === undefined) continue;
    const bytes = yield* volume.readBlock(run.physical, file.number);
    const tail = bytes.length - EXT4_ORPHAN_BLOCK_TAIL.size;
    bytes.fill(0, 0, tail);
    if (superblock.metadataCsum) viewOf(bytes).setUint32(tail + 4, orphanBlockChecksum(seed, run.physical, bytes), true);
    yield* volume.writeBlock(run.physical, bytes, file.number);
  }
}

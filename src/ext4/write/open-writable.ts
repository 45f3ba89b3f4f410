/**
 * Opening for writing: what must be true of a file system, and what a mount would do first. The journal is replayed onto the device,
 * orphans are finished, counts are put right; the device is the user's overlay, so the image below stays as it was.
 */
import { Refused, Unsupported } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import type { TransactionalDevice } from '../../io/transaction.ts';
import { superblockChecksum } from '../checksum.ts';
import { Complaints } from '../complaints.ts';
import {
  COMPAT,
  EXT4_ERROR_FS,
  EXT4_SUPER_BLOCK,
  EXT4_VALID_FS,
  featureNames,
  INCOMPAT,
  RO_COMPAT,
  SUPERBLOCK_OFFSET,
} from '../format/index.ts';
import { emptiedJournalSuperblock, recoverJournal } from '../journal/index.ts';
import { findJournal } from '../journal-inode.ts';
import { readMmpState } from '../mmp.ts';
import { readSuperblockAt } from '../open.ts';
import type { Superblock } from '../superblock.ts';
import { Volume } from '../volume.ts';
import { finishOrphans } from './orphans-write.ts';
import { WritableVolume, type WriterOptions } from './writable-volume.ts';

const KNOWN_COMPAT: number = Object.values(COMPAT).reduce((sum, bit) => sum | bit, 0);
/** Features of which this library knows how to read but not how to keep true. */
const UNWRITABLE_COMPAT = COMPAT.dir_prealloc | COMPAT.imagic_inodes | COMPAT.exclude_inode | COMPAT.exclude_bitmap;
const UNWRITABLE_RO_COMPAT = RO_COMPAT.quota | RO_COMPAT.project;

/** Throws for a file system that must not be written. */
function* checkWritable(volume: Volume): Io<void> {
  const { superblock } = volume;
  const where = { layer: 'ext4' };
  if (superblock.readOnlyReason !== undefined) {
    throw new Unsupported(superblock.readOnlyReason, `cannot be written: ${superblock.readOnlyReason}`, where);
  }
  const names = [
    ...featureNames(superblock.compat & (~KNOWN_COMPAT | UNWRITABLE_COMPAT), COMPAT, 'C'),
    ...featureNames(superblock.roCompat & UNWRITABLE_RO_COMPAT, RO_COMPAT, 'R'),
  ];
  if (names.length > 0)
    throw new Unsupported(names.join(','), `cannot be written: writing is not supported with ${names.join(', ')}`, where);
  if ((superblock.raw.s_state & EXT4_ERROR_FS) !== 0)
    throw new Refused('the file system recorded errors; run e2fsck before writing to it', where);
  if ((superblock.compat & COMPAT.has_journal) === 0 && (superblock.raw.s_state & EXT4_VALID_FS) === 0) {
    throw new Refused('the file system was not cleanly unmounted and has no journal; run e2fsck before writing to it', where);
  }
  if (superblock.blocksCount * superblock.blockSize > volume.device.size) {
    throw new Refused('the device ends before the file system does; it cannot be written', where);
  }
  const mmp = yield* readMmpState(volume);
  if (mmp === 'mounted' || mmp === 'fsck') {
    throw new Refused(`multiple mount protection says that the file system is in use (${mmp}); nobody else may write to it`, where);
  }
}

/** Opens the file system on a device for writing. Throws Corrupt, Unsupported (features by name) and Refused. */
export function* openWritableVolume(device: TransactionalDevice, options: WriterOptions): Io<WritableVolume> {
  const complaints = new Complaints('verify');
  const before = yield* readSuperblockAt(device, SUPERBLOCK_OFFSET, complaints);
  yield* checkWritable(new Volume(device, before, { complaints }));
  device.begin();
  try {
    const replayed = yield* replayJournal(device, before, complaints);
    const superblock = replayed ? yield* readSuperblockAt(device, SUPERBLOCK_OFFSET, complaints) : before;
    const bytes = (yield* device.read(SUPERBLOCK_OFFSET, EXT4_SUPER_BLOCK.size)).slice();
    const volume = new WritableVolume(device, superblock, bytes, complaints, options);
    if (replayed) yield* recount(volume);
    yield* finishOrphans(volume);
    yield* volume.flush();
    yield* device.commit();
    return volume;
  } catch (error) {
    yield* device.rollback();
    throw error;
  }
}

/** Stores what the journal holds and empties it; false when there was nothing to do. */
function* replayJournal(device: TransactionalDevice, superblock: Superblock, complaints: Complaints): Io<boolean> {
  if ((superblock.compat & COMPAT.has_journal) === 0 || (superblock.incompat & INCOMPAT.needs_recovery) === 0) return false;
  const volume = new Volume(device, superblock, { complaints });
  const recovered = yield* recoverJournal(device, superblock, yield* findJournal(volume), {});
  if (recovered === undefined) {
    yield* clearNeedsRecovery(device);
    return true;
  }
  if (recovered.fastCommits !== undefined) {
    throw new Unsupported(
      'fast_commit',
      'the journal ends in fast commits, which can be read but not yet be made permanent; mount it once with Linux',
      {
        layer: 'ext4',
      },
    );
  }
  if (recovered.superblock.raw.s_errno !== 0) {
    throw new Refused('the journal recorded an error; run e2fsck before writing to it', { layer: 'ext4' });
  }
  const { blockSize } = superblock;
  for (const block of recovered.device.changedBlocks) {
    yield* device.write(block * blockSize, (yield* recovered.device.read(block * blockSize, blockSize)).slice());
  }
  const head = recovered.file.blockOf(0) * blockSize;
  yield* device.write(head, emptiedJournalSuperblock((yield* device.read(head, blockSize)).slice(), recovered));
  complaints.warn(`the journal was replayed: ${recovered.transactions} transactions, ${recovered.blocks} blocks`);
  return true;
}

/** An empty journal that nobody marked as such. */
function* clearNeedsRecovery(device: TransactionalDevice): Io<void> {
  const bytes = (yield* device.read(SUPERBLOCK_OFFSET, EXT4_SUPER_BLOCK.size)).slice();
  const fields = EXT4_SUPER_BLOCK.read(bytes);
  EXT4_SUPER_BLOCK.write(bytes, 0, { s_feature_incompat: (fields.s_feature_incompat & ~INCOMPAT.needs_recovery) >>> 0 });
  if ((fields.s_feature_ro_compat & RO_COMPAT.metadata_csum) !== 0)
    EXT4_SUPER_BLOCK.write(bytes, 0, { s_checksum: superblockChecksum(bytes) });
  yield* device.write(SUPERBLOCK_OFFSET, bytes);
}

/** The kernel does not keep the superblock's counts current while it is mounted: they come from the groups. */
function* recount(volume: WritableVolume): Io<void> {
  const { superblock, groups } = volume;
  let clusters = 0;
  let inodes = 0;
  for (let group = 0; group < superblock.groupCount; group++) {
    const { freeClusters, freeInodes } = yield* groups.descriptor(group);
    clusters += freeClusters;
    inodes += freeInodes;
  }
  const blocks = clusters * superblock.clusterRatio;
  volume.changeSuperblock({
    s_free_blocks_count_lo: blocks % 0x1_0000_0000,
    s_free_blocks_count_hi: Math.floor(blocks / 0x1_0000_0000),
    s_free_inodes_count: inodes,
  });
}

/** Multiple mount protection (fs/ext4/mmp.c): whether somebody has the file system in use. */
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { mmpChecksum } from './checksum.ts';
import { EXT4_MMP_MAGIC, EXT4_MMP_SEQ_CLEAN, EXT4_MMP_SEQ_FSCK, INCOMPAT, MMP_STRUCT } from './format/index.ts';
import type { Volume } from './volume.ts';

export type MmpState = 'none' | 'clean' | 'fsck' | 'mounted';

/** `clean` allows writing; `fsck` and `mounted` mean that another program uses it, or did when it died. Reading needs no leave. */
export function* readMmpState(volume: Volume): Io<MmpState> {
  const { superblock } = volume;
  if ((superblock.incompat & INCOMPAT.mmp) === 0) return 'none';
  const block = Number(superblock.raw.s_mmp_block);
  const offset = volume.offsetOfBlock(block);
  const bytes = yield* volume.cache.read(offset, 1024);
  const mmp = MMP_STRUCT.read(bytes);
  if (mmp.mmp_magic !== EXT4_MMP_MAGIC)
    throw new Corrupt('multiple mount protection: a block without its magic', { layer: 'ext4', offset });
  if (superblock.metadataCsum && mmpChecksum(superblock.checksumSeed, bytes) !== mmp.mmp_checksum) {
    volume.complaints.mismatch('multiple mount protection', { offset });
  }
  if (mmp.mmp_seq === EXT4_MMP_SEQ_CLEAN) return 'clean';
  return mmp.mmp_seq === EXT4_MMP_SEQ_FSCK ? 'fsck' : 'mounted';
}

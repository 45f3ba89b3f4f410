/** Giving a file system another UUID; what is summed up with the old one is summed up anew. */
import type { Bytes } from '../../bytes/struct.ts';
import { Posix } from '../../errors.ts';
import type { WritableDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { seedOfUuid } from '../checksum.ts';
import { sealDescriptor } from '../descriptor-write.ts';
import { COMPAT, EXT4_SUPER_BLOCK, INCOMPAT, RO_COMPAT, SUPERBLOCK_OFFSET } from '../format/index.ts';
import { descriptorBlockCopies, descriptorsPerBlock, hasSuperblockCopy, superblockBlock } from '../layout.ts';
import { sealSuperblock } from '../mkfs/superblock.ts';
import { parseSuperblock, type Superblock } from '../superblock.ts';
import type { WritableExt4 } from '../write/writable-ext4.ts';
import { rewriteChecksums } from './rewrite-checksums.ts';
import { asOne, changeMounted, superblockBytes } from './settings.ts';

/** Whether checksums in the file system begin with its UUID. */
function summedByUuid(superblock: Pick<Superblock, 'incompat' | 'roCompat'>): boolean {
  if ((superblock.incompat & INCOMPAT.metadata_csum_seed) !== 0) return false;
  return (superblock.roCompat & (RO_COMPAT.metadata_csum | RO_COMPAT.uninit_bg)) !== 0;
}

/** Changes the UUID on a device that is not mounted (`tune2fs -U`). Throws Posix (EINVAL), Unsupported by feature, Corrupt. */
export function* setExt4Uuid(device: WritableDevice, uuid: Bytes): Io<void> {
  yield* asOne(device, function* () {
    const bytes = yield* superblockBytes(device);
    const isJournal = (EXT4_SUPER_BLOCK.read(bytes).s_feature_incompat & INCOMPAT.journal_dev) !== 0;
    const superblock = isJournal ? undefined : parseSuperblock(bytes);
    if (superblock !== undefined && (superblock.compat & COMPAT.stable_inodes) !== 0) {
      throw new Posix('EINVAL', { layer: 'ext4' }, 'the UUID of a file system with the stable_inodes feature cannot be changed');
    }
    EXT4_SUPER_BLOCK.write(bytes, 0, { s_uuid: uuid });
    if (superblock === undefined) {
      yield* device.write(SUPERBLOCK_OFFSET, bytes);
      return;
    }
    if (summedByUuid(superblock)) yield* sumAgain(device, superblock, uuid);
    sealSuperblock(bytes);
    yield* writeCopies(device, superblock, bytes, uuid);
  });
}

/** Changes the UUID of a mounted file system; as with tune2fs only where no checksum depends on it. Throws Posix (EBUSY). */
export function* setMountedUuid(ext4: WritableExt4, uuid: Bytes): Io<void> {
  if (summedByUuid(ext4.volume.superblock)) {
    throw new Posix('EBUSY', { layer: 'ext4' }, 'the UUID may only be changed when the filesystem is unmounted');
  }
  // biome-ignore lint/correctness/useYield: the superblock is in memory
  yield* ext4.transaction(function* () {
    changeMounted(ext4, { s_uuid: uuid });
  });
}

function* sumAgain(device: WritableDevice, superblock: Superblock, uuid: Bytes): Io<void> {
  if (superblock.metadataCsum) yield* rewriteChecksums(device, superblock, seedOfUuid(uuid));
  yield* sumDescriptors(device, superblock, uuid);
}

function* sumDescriptors(device: WritableDevice, superblock: Superblock, uuid: Bytes): Io<void> {
  const { blockSize, groupCount, groupDescriptorSize: size } = superblock;
  const perBlock = descriptorsPerBlock(superblock);
  const renamed = { ...superblock, uuid, checksumSeed: seedOfUuid(uuid) };
  for (let index = 0; index * perBlock < groupCount; index++) {
    const copies = descriptorBlockCopies(superblock, index);
    const bytes = (yield* device.read(copies[0]! * blockSize, blockSize)).slice();
    for (let slot = 0; slot < perBlock && index * perBlock + slot < groupCount; slot++) {
      sealDescriptor(renamed, bytes, slot * size, index * perBlock + slot);
    }
    for (const block of copies) yield* device.write(block * blockSize, bytes);
  }
}

function* writeCopies(device: WritableDevice, superblock: Superblock, primary: Bytes, uuid: Bytes): Io<void> {
  const { blockSize, groupCount } = superblock;
  for (let group = 1; group < groupCount; group++) {
    if (!hasSuperblockCopy(superblock, group)) continue;
    const offset = superblockBlock(superblock, group) * blockSize;
    const copy = (yield* device.read(offset, EXT4_SUPER_BLOCK.size)).slice();
    if (EXT4_SUPER_BLOCK.read(copy).s_magic !== superblock.raw.s_magic) continue;
    EXT4_SUPER_BLOCK.write(copy, 0, { s_uuid: uuid });
    sealSuperblock(copy);
    yield* device.write(offset, copy);
  }
  yield* device.write(SUPERBLOCK_OFFSET, primary);
}

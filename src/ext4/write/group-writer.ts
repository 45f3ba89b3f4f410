/** Group descriptors that can be changed: in memory at first, written with their checksums when the operation ends. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { Corrupt } from '../../errors.ts';
import type { WritableCachedDevice } from '../../io/cache.ts';
import type { Io } from '../../io/effect.ts';
import { groupDescriptorChecksum, groupDescriptorCrc16 } from '../checksum.ts';
import type { Complaints } from '../complaints.ts';
import { EXT4_GROUP_DESC_32, EXT4_GROUP_DESC_64, type RawGroupDescriptor } from '../format/index.ts';
import { type GroupDescriptor, GroupTable } from '../groups.ts';
import type { Superblock } from '../superblock.ts';
import type { UndoLog } from './undo-log.ts';

/** What of a descriptor changes while files come and go. */
export type GroupChange = Partial<
  Pick<
    GroupDescriptor,
    'freeClusters' | 'freeInodes' | 'usedDirectories' | 'flags' | 'unusedInodes' | 'blockBitmapChecksum' | 'inodeBitmapChecksum'
  >
>;

export class WritableGroupTable extends GroupTable {
  readonly #cache: WritableCachedDevice;
  readonly #superblock: Superblock;
  readonly #dirty = new Set<number>();
  undoLog: UndoLog | undefined;

  constructor(cache: WritableCachedDevice, superblock: Superblock, complaints: Complaints) {
    super(cache, superblock, complaints, 0);
    this.#cache = cache;
    this.#superblock = superblock;
  }

  /** Changes a descriptor that was read before. */
  change(group: number, change: GroupChange): void {
    const place = this.bytesOf(group);
    if (place === undefined) throw new Corrupt(`block group ${group} was not read`, { layer: 'ext4' });
    if (this.undoLog?.recording === true) this.undoLog.push(this.#saved(group, place.block, place.at));
    const raw = splitHalves(change);
    // The short form has none of the high halves; what they would hold fits into the low ones there.
    if (this.#superblock.groupDescriptorSize >= 64) EXT4_GROUP_DESC_64.write(place.block, place.at, raw);
    else EXT4_GROUP_DESC_32.write(place.block, place.at, raw);
    this.#dirty.add(group);
  }

  /** How many descriptors wait to be written. */
  get waiting(): number {
    return this.#dirty.size;
  }

  #saved(group: number, block: Bytes, at: number): () => void {
    const bytes = block.slice(at, at + this.#superblock.groupDescriptorSize);
    const wasDirty = this.#dirty.has(group);
    return () => {
      block.set(bytes, at);
      if (!wasDirty) this.#dirty.delete(group);
    };
  }

  /** Writes what changed. */
  *flush(): Io<void> {
    for (const group of this.#dirty) {
      const place = this.bytesOf(group);
      if (place === undefined) continue;
      const { groupDescriptorSize, metadataCsum, gdtCsum, checksumSeed, uuid } = this.#superblock;
      const { block, at } = place;
      if (metadataCsum || gdtCsum) {
        const sum = metadataCsum
          ? groupDescriptorChecksum(checksumSeed, group, block, at, groupDescriptorSize)
          : groupDescriptorCrc16(uuid, group, block, at, groupDescriptorSize);
        viewOf(block).setUint16(at + EXT4_GROUP_DESC_32.fields.bg_checksum.offset, sum, true);
      }
      yield* this.#cache.write(this.descriptorOffset(group), block.subarray(at, at + groupDescriptorSize));
    }
    this.#dirty.clear();
  }

  override clear(): void {
    super.clear();
    this.#dirty.clear();
  }
}

function splitHalves(change: GroupChange): Partial<RawGroupDescriptor> {
  const raw: Partial<RawGroupDescriptor> = {};
  const { freeClusters, freeInodes, usedDirectories, flags, unusedInodes, blockBitmapChecksum, inodeBitmapChecksum } = change;
  const low = (value: number): number => value & 0xffff;
  const high = (value: number): number => value >>> 16;
  if (freeClusters !== undefined) [raw.bg_free_blocks_count_lo, raw.bg_free_blocks_count_hi] = [low(freeClusters), high(freeClusters)];
  if (freeInodes !== undefined) [raw.bg_free_inodes_count_lo, raw.bg_free_inodes_count_hi] = [low(freeInodes), high(freeInodes)];
  if (usedDirectories !== undefined) [raw.bg_used_dirs_count_lo, raw.bg_used_dirs_count_hi] = [low(usedDirectories), high(usedDirectories)];
  if (unusedInodes !== undefined) [raw.bg_itable_unused_lo, raw.bg_itable_unused_hi] = [low(unusedInodes), high(unusedInodes)];
  if (flags !== undefined) raw.bg_flags = flags;
  if (blockBitmapChecksum !== undefined) {
    [raw.bg_block_bitmap_csum_lo, raw.bg_block_bitmap_csum_hi] = [low(blockBitmapChecksum), high(blockBitmapChecksum)];
  }
  if (inodeBitmapChecksum !== undefined) {
    [raw.bg_inode_bitmap_csum_lo, raw.bg_inode_bitmap_csum_hi] = [low(inodeBitmapChecksum), high(inodeBitmapChecksum)];
  }
  return raw;
}

/** Group descriptors that can be changed: in memory at first, written with their checksums when the operation ends. */
import { viewOf } from '../../bytes/struct.ts';
import { Corrupt } from '../../errors.ts';
import type { WritableCachedDevice } from '../../io/cache.ts';
import type { Io } from '../../io/effect.ts';
import { groupDescriptorChecksum, groupDescriptorCrc16 } from '../checksum.ts';
import type { Complaints } from '../complaints.ts';
import { EXT4_GROUP_DESC_32, EXT4_GROUP_DESC_64, type RawGroupDescriptor } from '../format/index.ts';
import { Generations } from '../generations.ts';
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

/** Half of the decoded descriptors that are kept. */
const KNOWN_DESCRIPTORS = 2048;

export class WritableGroupTable extends GroupTable {
  readonly #cache: WritableCachedDevice;
  readonly #superblock: Superblock;
  readonly #clean: Generations<GroupDescriptor> = new Generations(KNOWN_DESCRIPTORS);
  readonly #dirty = new Map<number, GroupDescriptor>();
  undoLog: UndoLog | undefined;

  constructor(cache: WritableCachedDevice, superblock: Superblock, complaints: Complaints) {
    super(cache, superblock, complaints, 0);
    this.#cache = cache;
    this.#superblock = superblock;
  }

  /** A descriptor that is in memory. */
  known(group: number): GroupDescriptor | undefined {
    return this.#dirty.get(group) ?? this.#clean.get(group);
  }

  override *descriptor(group: number): Io<GroupDescriptor> {
    const known = this.known(group);
    if (known !== undefined) return known;
    const descriptor = yield* super.descriptor(group);
    this.#clean.set(group, descriptor);
    return descriptor;
  }

  /** Changes a descriptor that was read before. */
  change(group: number, change: GroupChange): void {
    const dirty = this.#dirty.get(group);
    const before = dirty ?? this.peek(group);
    if (before === undefined) throw new Corrupt(`block group ${group} was not read`, { layer: 'ext4' });
    if (this.undoLog?.recording === true) {
      this.undoLog.push(() => {
        if (dirty === undefined) this.#dirty.delete(group);
        else this.#dirty.set(group, dirty);
      });
    }
    this.#dirty.set(group, changed(before, change));
    this.#clean.delete(group);
  }

  /** How many descriptors wait to be written. */
  get waiting(): number {
    return this.#dirty.size;
  }

  /** Writes what changed. */
  *flush(): Io<void> {
    for (const [group, descriptor] of this.#dirty) {
      const place = this.bytesOf(group);
      if (place === undefined) continue;
      const { groupDescriptorSize, metadataCsum, gdtCsum, checksumSeed, uuid } = this.#superblock;
      const { block, at } = place;
      const raw = splitHalves(descriptor);
      // The short form has none of the high halves; what they would hold fits into the low ones there.
      if (groupDescriptorSize >= 64) EXT4_GROUP_DESC_64.write(block, at, raw);
      else EXT4_GROUP_DESC_32.write(block, at, raw);
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
    this.#clean.clear();
    this.#dirty.clear();
  }
}

/** Each field by its name: every name that comes in goes through here, twice for a new file. */
function changed(before: GroupDescriptor, change: GroupChange): GroupDescriptor {
  return {
    group: before.group,
    blockBitmap: before.blockBitmap,
    inodeBitmap: before.inodeBitmap,
    inodeTable: before.inodeTable,
    freeClusters: change.freeClusters ?? before.freeClusters,
    freeInodes: change.freeInodes ?? before.freeInodes,
    usedDirectories: change.usedDirectories ?? before.usedDirectories,
    flags: change.flags ?? before.flags,
    unusedInodes: change.unusedInodes ?? before.unusedInodes,
    blockBitmapChecksum: change.blockBitmapChecksum ?? before.blockBitmapChecksum,
    inodeBitmapChecksum: change.inodeBitmapChecksum ?? before.inodeBitmapChecksum,
  };
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

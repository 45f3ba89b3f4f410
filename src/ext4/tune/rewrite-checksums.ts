/** Sums up all metadata of a file system with another seed. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { isZero } from '../../bytes/text.ts';
import { Refused, Unsupported } from '../../errors.ts';
import type { WritableDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { readBlockBitmap, readInodeBitmap } from '../bitmaps.ts';
import {
  bitmapChecksum,
  directoryBlockChecksum,
  extentBlockChecksum,
  hasChecksumHigh,
  indexBlockChecksum,
  inodeChecksum,
  inodeSeed,
  orphanBlockChecksum,
  xattrBlockChecksum,
} from '../checksum.ts';
import { recordLength } from '../directory.ts';
import {
  EXT4_BG_BLOCK_UNINIT,
  EXT4_BG_INODE_UNINIT,
  EXT4_DIR_ENTRY_TAIL,
  EXT4_EXT_MAGIC,
  EXT4_EXTENTS_FL,
  EXT4_FT_DIR_CSUM,
  EXT4_INDEX_FL,
  EXT4_INLINE_DATA_FL,
  EXT4_MAX_EXTENT_DEPTH,
  EXT4_XATTR_MAGIC,
  INCOMPAT,
} from '../format/index.ts';
import { type Inode, parseInode } from '../inode.ts';
import { findRun } from '../mapping.ts';
import type { Superblock } from '../superblock.ts';
import { Volume } from '../volume.ts';

/** Inodes are read and written in parts of this many bytes. */
const PART = 1 << 16;

/** Every checksum but those of descriptors and superblocks. Throws Unsupported by feature, Corrupt, Refused for one that needs recovery. */
export function* rewriteChecksums(device: WritableDevice, superblock: Superblock, seed: number): Io<void> {
  for (const name of ['ea_inode', 'mmp'] as const) {
    if ((superblock.incompat & INCOMPAT[name]) !== 0) {
      throw new Unsupported(name, `the checksums of a file system with ${name} cannot be rewritten`, { layer: 'ext4' });
    }
  }
  if ((superblock.incompat & INCOMPAT.needs_recovery) !== 0) {
    throw new Refused('the journal has to be replayed first; mount and unmount the file system', { layer: 'ext4' });
  }
  const volume = new Volume(device, superblock);
  const rewriter = new Rewriter(device, volume, seed);
  for (let group = 0; group < superblock.groupCount; group++) yield* rewriter.group(group);
}

class Rewriter {
  readonly #device: WritableDevice;
  readonly #volume: Volume;
  readonly #seed: number;
  /** Attribute blocks that were done: several inodes may share one. */
  readonly #attributes = new Set<number>();

  constructor(device: WritableDevice, volume: Volume, seed: number) {
    this.#device = device;
    this.#volume = volume;
    this.#seed = seed;
  }

  *group(group: number): Io<void> {
    const { superblock, groups } = this.#volume;
    const descriptor = yield* groups.descriptor(group);
    yield* this.#bitmaps(group);
    if ((descriptor.flags & EXT4_BG_INODE_UNINIT) !== 0) return;
    const { inodeSize, inodesPerGroup, blockSize } = superblock;
    const used = Math.max(0, inodesPerGroup - descriptor.unusedInodes);
    const perPart = Math.max(1, Math.floor(PART / inodeSize));
    for (let first = 0; first < used; first += perPart) {
      const count = Math.min(perPart, used - first);
      const offset = descriptor.inodeTable * blockSize + first * inodeSize;
      const bytes = (yield* this.#device.read(offset, count * inodeSize)).slice();
      for (let i = 0; i < count; i++) yield* this.#inode(group * inodesPerGroup + first + i + 1, bytes, i * inodeSize);
      yield* this.#device.write(offset, bytes);
    }
  }

  *#bitmaps(group: number): Io<void> {
    const { superblock, groups } = this.#volume;
    const { groupDescriptorSize: size, clustersPerGroup, inodesPerGroup } = superblock;
    const descriptor = yield* groups.descriptor(group);
    const at = groups.descriptorOffset(group);
    const bytes = (yield* this.#device.read(at, size)).slice();
    const view = viewOf(bytes);
    const put = (sum: number, low: number, high: number): void => {
      view.setUint16(low, sum & 0xffff, true);
      if (size >= 64) view.setUint16(high, sum >>> 16, true);
    };
    if ((descriptor.flags & EXT4_BG_BLOCK_UNINIT) === 0) {
      const bitmap = yield* readBlockBitmap(this.#volume, group);
      put(bitmapChecksum(this.#seed, bitmap, Math.floor(clustersPerGroup / 8)), 0x18, 0x38);
    }
    if ((descriptor.flags & EXT4_BG_INODE_UNINIT) === 0) {
      const bitmap = yield* readInodeBitmap(this.#volume, group);
      put(bitmapChecksum(this.#seed, bitmap, Math.floor(inodesPerGroup / 8)), 0x1a, 0x3a);
    }
    yield* this.#device.write(at, bytes);
  }

  *#inode(number: number, table: Bytes, at: number): Io<void> {
    const { superblock } = this.#volume;
    const { inodeSize } = superblock;
    if (isZero(table, at, at + 128)) return;
    const view = viewOf(table);
    const generation = view.getUint32(at + 0x64, true);
    if (view.getUint16(at, true) !== 0 && view.getUint16(at + 0x1a, true) !== 0) {
      yield* this.#contents(parseInode(superblock, number, table, view, at), inodeSeed(this.#seed, number, generation));
    }
    const sum = inodeChecksum(this.#seed, number, table, at, inodeSize);
    view.setUint16(at + 0x7c, sum & 0xffff, true);
    if (hasChecksumHigh(table, at, inodeSize)) view.setUint16(at + 0x82, sum >>> 16, true);
  }

  *#contents(inode: Inode, seed: number): Io<void> {
    const { superblock } = this.#volume;
    if (inode.fileAcl !== 0 && !this.#attributes.has(inode.fileAcl)) {
      this.#attributes.add(inode.fileAcl);
      yield* this.#block(inode.fileAcl, (bytes) => {
        const view = viewOf(bytes);
        if (view.getUint32(0, true) === EXT4_XATTR_MAGIC) view.setUint32(0x10, xattrBlockChecksum(this.#seed, inode.fileAcl, bytes), true);
      });
    }
    if ((inode.flags & EXT4_INLINE_DATA_FL) !== 0) return;
    const orphans = inode.number === superblock.raw.s_orphan_file_inum;
    if (inode.kind === 'directory' || orphans) yield* this.#blocks(inode, seed, orphans);
    if ((inode.flags & EXT4_EXTENTS_FL) !== 0) yield* this.#extents(inode.block, seed, EXT4_MAX_EXTENT_DEPTH);
  }

  *#blocks(inode: Inode, seed: number, orphans: boolean): Io<void> {
    const { blockSize } = this.#volume.superblock;
    const blocks = Math.ceil(inode.size / blockSize);
    for (let logical = 0; logical < blocks; ) {
      const run = yield* findRun(this.#volume, inode, logical);
      const length = Math.min(run.length, blocks - logical);
      for (let i = 0; run.physical !== undefined && !run.zero && i < length; i++) {
        const block = run.physical + i;
        yield* this.#block(block, (bytes) => {
          if (orphans) viewOf(bytes).setUint32(blockSize - 4, orphanBlockChecksum(seed, block, bytes), true);
          else sumDirectoryBlock(bytes, seed, inode, logical + i === 0);
        });
      }
      logical += length;
    }
  }

  /** The nodes below one, sums of children before their place is forgotten; `depth` bounds what a broken tree can cost. */
  *#extents(node: Bytes, seed: number, depth: number): Io<void> {
    const view = viewOf(node);
    if (view.getUint16(0, true) !== EXT4_EXT_MAGIC || view.getUint16(6, true) === 0 || depth === 0) return;
    const entries = Math.min(view.getUint16(2, true), Math.floor((node.length - 12) / 12));
    for (let i = 0; i < entries; i++) {
      const at = 12 + 12 * i;
      const child = view.getUint16(at + 8, true) * 2 ** 32 + view.getUint32(at + 4, true);
      const bytes = yield* this.#block(child, (block) => {
        const max = viewOf(block).getUint16(4, true);
        if (12 + 12 * max + 4 <= block.length) viewOf(block).setUint32(12 + 12 * max, extentBlockChecksum(seed, block, max), true);
      });
      yield* this.#extents(bytes, seed, depth - 1);
    }
  }

  *#block(block: number, change: (bytes: Bytes) => void): Io<Bytes> {
    const { blockSize } = this.#volume.superblock;
    const offset = this.#volume.offsetOfBlock(block);
    const bytes = (yield* this.#device.read(offset, blockSize)).slice();
    change(bytes);
    yield* this.#device.write(offset, bytes);
    return bytes;
  }
}

/** A directory block is a leaf with a tail, or the root or a node of the index; in those, remains of a leaf may stand behind the entries. */
function sumDirectoryBlock(bytes: Bytes, seed: number, inode: Inode, first: boolean): void {
  const view = viewOf(bytes);
  const indexed = (inode.flags & EXT4_INDEX_FL) !== 0;
  const node = view.getUint32(0, true) === 0 && recordLength(view.getUint16(4, true), bytes.length) === bytes.length;
  if (!indexed || !(first || node)) {
    const tail = bytes.length - EXT4_DIR_ENTRY_TAIL.size;
    if (bytes[tail + 7] === EXT4_FT_DIR_CSUM) view.setUint32(tail + 8, directoryBlockChecksum(seed, bytes), true);
    return;
  }
  const countOffset = first ? 32 : 8;
  const limit = view.getUint16(countOffset, true);
  const count = view.getUint16(countOffset + 2, true);
  if (count > limit || countOffset + 8 * limit + 8 > bytes.length) return;
  view.setUint32(countOffset + 8 * limit + 4, indexBlockChecksum(seed, bytes, countOffset, count, limit), true);
}

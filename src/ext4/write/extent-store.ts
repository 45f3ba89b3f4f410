/**
 * All extents of a file as one list: read from its tree, written back as a tree that is as narrow and shallow as can be.
 *
 * A change rewrites the list; of the tree's blocks only those are written whose bytes differ. That is linear in the number of extents,
 * with some ten microseconds for each 340 of them, and leaves no half-empty nodes for e2fsck to complain about.
 */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { sameBytes } from '../../bytes/text.ts';
import { Unsupported } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { extentBlockChecksum, inodeSeed } from '../checksum.ts';
import type { ExtentNode } from '../extent-node.ts';
import { extentRoot, readExtentNode } from '../extents.ts';
import { EXT_INIT_MAX_LEN, EXT4_EXT_MAGIC } from '../format/index.ts';
import { LOGICAL_BLOCKS_END } from '../run.ts';
import type { InodeEdit } from './inode-edit.ts';
import type { WritableVolume } from './writable-volume.ts';

/** A run of a file's blocks that follow each other on the device too. */
export interface FileExtent {
  readonly logical: number;
  readonly length: number;
  readonly physical: number;
  /** Allocated, but reads as zeros. */
  readonly unwritten: boolean;
}

/** A file of more extents than this is not changed: the list is held in memory. */
const MAX_EXTENTS = 4_000_000;
/** Entries in `i_block`: (60 - 12) / 12. */
const ROOT_ENTRIES = 4;
/** The longest unwritten extent. */
const MAX_UNWRITTEN = EXT_INIT_MAX_LEN - 1;

/** The header of a root without entries: `eh_magic`, `eh_entries`, `eh_max`, `eh_depth`. */
const EMPTY_ROOT = [EXT4_EXT_MAGIC & 0xff, EXT4_EXT_MAGIC >> 8, 0, 0, ROOT_ENTRIES, 0, 0, 0] as const;

/** The list of a file's extents, in logical order, and the blocks of the tree that held them. */
export interface ExtentList {
  readonly extents: FileExtent[];
  readonly nodeBlocks: number[];
}

export function* loadExtents(volume: WritableVolume, edit: InodeEdit): Io<ExtentList> {
  const list: ExtentList = { extents: [], nodeBlocks: [] };
  if (isEmptyRoot(edit.bytes)) return list;
  yield* collect(volume, edit, extentRoot(volume, edit.inode), LOGICAL_BLOCKS_END, list);
  return list;
}

/** Whether `i_block` is the root of a tree without entries, as every new file has it. */
export function isEmptyRoot(inode: Bytes): boolean {
  for (let i = 0; i < EMPTY_ROOT.length; i++) if (inode[0x28 + i] !== EMPTY_ROOT[i]) return false;
  return true;
}

/** Makes the blocks from `start` on, at most EXT_INIT_MAX_LEN of them, the first extent of an empty root. */
export function storeFirstExtent(edit: InodeEdit, start: number, length: number): void {
  const { bytes } = edit;
  const entry = 0x28 + 12;
  bytes[0x28 + 2] = 1;
  // ee_block, ee_len, ee_start_hi, ee_start_lo.
  setBytes(bytes, entry, 4, 0);
  setBytes(bytes, entry + 4, 2, length);
  setBytes(bytes, entry + 6, 2, Math.floor(start / 0x1_0000_0000));
  setBytes(bytes, entry + 8, 4, start % 0x1_0000_0000);
  edit.touch();
}

function setBytes(bytes: Bytes, at: number, length: number, value: number): void {
  for (let i = 0, rest = value; i < length; i++, rest = Math.floor(rest / 256)) bytes[at + i] = rest % 256;
}

function* collect(volume: WritableVolume, edit: InodeEdit, node: ExtentNode, to: number, list: ExtentList): Io<void> {
  if (node.depth === 0) {
    if (list.extents.length + node.logical.length > MAX_EXTENTS) {
      throw new Unsupported('fragmented file', `a file of more than ${MAX_EXTENTS} extents cannot be changed`, {
        layer: 'ext4',
        inode: edit.number,
      });
    }
    for (let i = 0; i < node.logical.length; i++) {
      list.extents.push({
        logical: node.logical[i]!,
        length: node.length[i]!,
        physical: node.physical[i]!,
        unwritten: node.unwritten[i]!,
      });
    }
    return;
  }
  for (let i = 0; i < node.logical.length; i++) {
    const block = node.physical[i]!;
    list.nodeBlocks.push(block);
    const end = node.logical[i + 1] ?? to;
    const child = yield* readExtentNode(volume, edit.inode, block, node.depth - 1, node.logical[i]!, end);
    yield* collect(volume, edit, child, end, list);
  }
}

/** An entry of a node: of a leaf, or of an index with the block of the node below. */
interface NodeEntry {
  readonly logical: number;
  readonly block: number;
  /** As on the disk: above 32768 for an unwritten extent; 0 in an index. */
  readonly length: number;
}

/**
 * Writes the list back. Neighbours that continue each other are joined first. Blocks of the tree are reused, taken near `goal`, or given
 * back, and counted in `i_blocks`.
 */
export function* storeExtents(volume: WritableVolume, edit: InodeEdit, list: ExtentList, goal: number): Io<void> {
  const { blockSize, clusterRatio } = volume.superblock;
  const perNode = Math.floor((blockSize - 12) / 12);
  let entries: NodeEntry[] = joined(list.extents).map(({ logical, physical, length, unwritten }) => ({
    logical,
    block: physical,
    length: unwritten ? length + EXT_INIT_MAX_LEN : length,
  }));
  const spare = [...list.nodeBlocks].reverse();
  const before = list.nodeBlocks.length;
  let used = 0;
  let depth = 0;
  while (entries.length > ROOT_ENTRIES) {
    const above: NodeEntry[] = [];
    for (let start = 0; start < entries.length; start += perNode) {
      const part = entries.slice(start, start + perNode);
      const block = spare.pop() ?? (yield* volume.blocks.allocate(goal, 1)).start;
      used++;
      yield* writeNode(volume, edit, block, depth, part);
      above.push({ logical: part[0]!.logical, block, length: 0 });
    }
    entries = above;
    depth++;
  }
  for (const block of spare) {
    volume.extentNodes.delete(block);
    yield* volume.blocks.free(block - (block % clusterRatio), clusterRatio);
  }
  if (used !== before) edit.addBlocks((used - before) * clusterRatio);
  const root = edit.bytes.subarray(0x28, 0x28 + 60);
  encodeNode(root, ROOT_ENTRIES, depth, entries);
  edit.touch();
}

/** An empty extent tree in `i_block`. */
export function initialiseExtents(edit: InodeEdit): void {
  const { bytes } = edit;
  bytes.fill(0, 0x28, 0x28 + 60);
  for (let i = 0; i < EMPTY_ROOT.length; i++) bytes[0x28 + i] = EMPTY_ROOT[i] as number;
  edit.touch();
}

function joined(extents: readonly FileExtent[]): FileExtent[] {
  const result: FileExtent[] = [];
  for (const extent of extents) {
    const last = result[result.length - 1];
    const follows =
      last !== undefined &&
      last.logical + last.length === extent.logical &&
      last.physical + last.length === extent.physical &&
      last.unwritten === extent.unwritten;
    const limit = extent.unwritten ? MAX_UNWRITTEN : EXT_INIT_MAX_LEN;
    if (!follows || last.length + extent.length > limit) result.push(...cut(extent, limit));
    else result[result.length - 1] = { ...last, length: last.length + extent.length };
  }
  return result;
}

function cut(extent: FileExtent, limit: number): FileExtent[] {
  const parts: FileExtent[] = [];
  for (let done = 0; done < extent.length; done += limit) {
    parts.push({
      ...extent,
      logical: extent.logical + done,
      physical: extent.physical + done,
      length: Math.min(limit, extent.length - done),
    });
  }
  return parts;
}

function* writeNode(volume: WritableVolume, edit: InodeEdit, block: number, depth: number, entries: readonly NodeEntry[]): Io<void> {
  const { superblock } = volume;
  const max = Math.floor((superblock.blockSize - 12) / 12);
  const bytes = new Uint8Array(superblock.blockSize);
  encodeNode(bytes, max, depth, entries);
  if (superblock.metadataCsum) {
    const { number, generation } = edit.inode;
    const sum = extentBlockChecksum(inodeSeed(superblock.checksumSeed, number, generation), bytes, max);
    viewOf(bytes).setUint32(12 + 12 * max, sum, true);
  }
  volume.extentNodes.delete(block);
  if (sameBytes(bytes, yield* volume.cache.read(volume.offsetOfBlock(block), superblock.blockSize))) return;
  yield* volume.writeBlock(block, bytes, edit.number);
}

function encodeNode(bytes: Bytes, max: number, depth: number, entries: readonly NodeEntry[]): void {
  bytes.fill(0);
  const view = viewOf(bytes);
  view.setUint16(0, EXT4_EXT_MAGIC, true);
  view.setUint16(2, entries.length, true);
  view.setUint16(4, max, true);
  view.setUint16(6, depth, true);
  entries.forEach(({ logical, block, length }, i) => {
    const at = 12 + 12 * i;
    const high = Math.floor(block / 0x1_0000_0000);
    const low = block % 0x1_0000_0000;
    view.setUint32(at, logical, true);
    if (depth === 0) {
      view.setUint16(at + 4, length, true);
      view.setUint16(at + 6, high, true);
      view.setUint32(at + 8, low, true);
    } else {
      view.setUint32(at + 4, low, true);
      view.setUint16(at + 8, high, true);
    }
  });
}

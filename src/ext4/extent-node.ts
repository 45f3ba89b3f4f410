/** One node of an extent tree, decoded and checked as the kernel does (ext4_valid_extent_entries in fs/ext4/extents.c). */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, type Where } from '../errors.ts';
import { EXT_INIT_MAX_LEN, EXT4_EXT_MAGIC, EXT4_MAX_EXTENT_DEPTH } from './format/extent.ts';

/** Entries in ascending order of their first logical block; lengths are in blocks. */
export interface ExtentNode {
  /** 0: a leaf. */
  readonly depth: number;
  /** First logical block of each entry. */
  readonly logical: readonly number[];
  /** Length of each extent; empty in an index node. */
  readonly length: readonly number[];
  /** First physical block of each extent, or the block of each child. */
  readonly physical: readonly number[];
  /** Whether the extent reads as zeros until it is written. */
  readonly unwritten: readonly boolean[];
  /** `eh_max`. */
  readonly max: number;
}

/** What a node has to fit into. */
export interface ExtentBounds {
  /** Blocks that extents and nodes may use: above `first`, below `end`. */
  readonly first: number;
  readonly end: number;
  /** The depth that the parent promises; undefined for the root. */
  readonly depth: number | undefined;
  /** The window of logical blocks that the parent gives: from `from`, which the first entry must equal, to below `to`. */
  readonly from: number | undefined;
  readonly to: number;
}

// Bytes and no DataView: almost every root is 60 bytes that V8 keeps inside of its heap, and a view would move them out by malloc.
const u16 = (bytes: Bytes, at: number): number => bytes[at]! | (bytes[at + 1]! << 8);
const u32 = (bytes: Bytes, at: number): number => (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0;

/** Decodes the node in `bytes` (an inode's `i_block`, or a block). Throws Corrupt for anything that the kernel would refuse. */
export function parseExtentNode(bytes: Bytes, bounds: ExtentBounds, where: Where): ExtentNode {
  const corrupt = (message: string): Corrupt => new Corrupt(`extent tree: ${message}`, { layer: 'ext4', ...where });
  if (u16(bytes, 0) !== EXT4_EXT_MAGIC) throw corrupt('a node without its magic');
  const entries = u16(bytes, 2);
  const max = u16(bytes, 4);
  const depth = u16(bytes, 6);
  if (bounds.depth === undefined ? depth > EXT4_MAX_EXTENT_DEPTH : depth !== bounds.depth) {
    throw corrupt(`a node of depth ${depth} where ${bounds.depth ?? `at most ${EXT4_MAX_EXTENT_DEPTH}`} belongs`);
  }
  if (max === 0 || max > (bytes.length - 12) / 12) throw corrupt(`room for ${max} entries in ${bytes.length} bytes`);
  if (entries > max) throw corrupt(`${entries} entries in a node with room for ${max}`);
  if (entries === 0 && (depth > 0 || bounds.from !== undefined)) throw corrupt('an empty node');
  const logical: number[] = [];
  const length: number[] = [];
  const physical: number[] = [];
  const unwritten: boolean[] = [];
  let next = 0;
  for (let i = 0, at = 12; i < entries; i++, at += 12) {
    const start = u32(bytes, at);
    if (i === 0 && bounds.from !== undefined && start !== bounds.from) throw corrupt(`a node begins at block ${start}, not ${bounds.from}`);
    if (start < next) throw corrupt(`entry ${i} at logical block ${start} overlaps the one before it`);
    let block: number;
    if (depth === 0) {
      const stored = u16(bytes, at + 4);
      const count = stored > EXT_INIT_MAX_LEN ? stored - EXT_INIT_MAX_LEN : stored;
      block = u16(bytes, at + 6) * 0x1_0000_0000 + u32(bytes, at + 8);
      if (count === 0) throw corrupt(`an extent of no blocks at logical block ${start}`);
      if (start + count > bounds.to) throw corrupt(`the extent at logical block ${start} reaches beyond ${bounds.to}`);
      if (block <= bounds.first || block + count > bounds.end) {
        throw corrupt(`${count} blocks at ${block} lie outside of the file system's ${bounds.end} blocks`);
      }
      length.push(count);
      unwritten.push(stored > EXT_INIT_MAX_LEN);
      next = start + count;
    } else {
      block = u16(bytes, at + 8) * 0x1_0000_0000 + u32(bytes, at + 4);
      if (start >= bounds.to) throw corrupt(`the index at logical block ${start} reaches beyond ${bounds.to}`);
      if (block <= bounds.first || block >= bounds.end)
        throw corrupt(`node ${block} lies outside of the file system's ${bounds.end} blocks`);
      next = start + 1;
    }
    logical.push(start);
    physical.push(block);
  }
  return { depth, logical, length, physical, unwritten, max };
}

/** The last entry whose first logical block is at or before `block`; -1 when there is none. */
export function entryAt(node: ExtentNode, block: number): number {
  let low = 0;
  let high = node.logical.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (node.logical[middle]! <= block) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

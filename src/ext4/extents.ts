/** Looking up logical blocks in an extent tree (fs/ext4/extents.c). */
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { extentBlockChecksum, inodeSeed } from './checksum.ts';
import { type ExtentNode, entryAt, parseExtentNode } from './extent-node.ts';
import type { Inode } from './inode.ts';
import { type BlockRun, LOGICAL_BLOCKS_END } from './run.ts';
import type { Volume } from './volume.ts';

/** The root of an inode's extent tree. */
export function extentRoot(volume: Volume, inode: Inode): ExtentNode {
  if (inode.extentRoot !== undefined) return inode.extentRoot;
  const { firstDataBlock, blocksCount } = volume.superblock;
  const bounds = { first: firstDataBlock, end: blocksCount, depth: undefined, from: undefined, to: LOGICAL_BLOCKS_END };
  return (inode.extentRoot = parseExtentNode(inode.block, bounds, { inode: inode.number }));
}

/** The node in `block`, verified; `depth`, `from` and `to` are what its parent says about it. */
export function* readExtentNode(volume: Volume, inode: Inode, block: number, depth: number, from: number, to: number): Io<ExtentNode> {
  const known = volume.extentNodes.get(block);
  if (known !== undefined && known.owner === inode && known.from === from && known.to === to && known.node.depth === depth)
    return known.node;
  const { superblock } = volume;
  const offset = volume.offsetOfBlock(block, inode.number);
  const bytes = yield* volume.cache.read(offset, superblock.blockSize);
  const where = { inode: inode.number, offset };
  const node = parseExtentNode(bytes, { first: superblock.firstDataBlock, end: superblock.blocksCount, depth, from, to }, where);
  if (superblock.metadataCsum) {
    const tail = 12 + 12 * node.max;
    if (tail + 4 > bytes.length) throw new Corrupt('extent tree: a node without room for its checksum', { layer: 'ext4', ...where });
    const stored = new DataView(bytes.buffer, bytes.byteOffset + tail, 4).getUint32(0, true);
    const seed = inodeSeed(superblock.checksumSeed, inode.number, inode.generation);
    if (extentBlockChecksum(seed, bytes, node.max) !== stored) volume.complaints.mismatch('extent tree', where);
  }
  volume.extentNodes.set(block, { owner: inode, from, to, node });
  return node;
}

/** The run that begins at `logical`, where the inode itself says it. */
export function peekInExtents(volume: Volume, inode: Inode, logical: number): BlockRun | undefined {
  const root = inode.extentRoot ?? extentRoot(volume, inode);
  return root.depth === 0 ? findInLeaf(root, logical, LOGICAL_BLOCKS_END) : undefined;
}

/** The run that begins at `logical`. */
export function* findInExtents(volume: Volume, inode: Inode, logical: number): Io<BlockRun> {
  let node = inode.extentRoot ?? extentRoot(volume, inode);
  let to = LOGICAL_BLOCKS_END;
  while (node.depth > 0) {
    const at = entryAt(node, logical);
    // Before the first key there is nothing.
    if (at < 0) return { logical, length: node.logical[0]! - logical, physical: undefined, zero: true };
    to = node.logical[at + 1] ?? to;
    node = yield* readExtentNode(volume, inode, node.physical[at]!, node.depth - 1, node.logical[at]!, to);
  }
  return findInLeaf(node, logical, to);
}

function findInLeaf(node: ExtentNode, logical: number, to: number): BlockRun {
  const at = entryAt(node, logical);
  if (at >= 0) {
    const within = logical - node.logical[at]!;
    const left = node.length[at]! - within;
    if (left > 0) return { logical, length: left, physical: node.physical[at]! + within, zero: node.unwritten[at]! };
  }
  return { logical, length: (node.logical[at + 1] ?? to) - logical, physical: undefined, zero: true };
}

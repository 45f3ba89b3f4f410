/** All blocks of an inode: its data, and what maps it. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { Corrupt } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { extentBlockChecksum, inodeSeed } from '../checksum.ts';
import { type ExtentNode, parseExtentNode } from '../extent-node.ts';
import { EXT4_EXTENTS_FL, EXT4_INLINE_DATA_FL, EXT4_NDIR_BLOCKS, EXT4_RESIZE_INO } from '../format/index.ts';
import { type Inode, isFastSymlink } from '../inode.ts';
import { LOGICAL_BLOCKS_END } from '../run.ts';
import type { Volume } from '../volume.ts';
import type { Claims } from './claims.ts';

/** Claims the blocks of an inode, without its attributes; how many there are. Throws Corrupt for a broken map. */
export function* claimBlocks(volume: Volume, inode: Inode, claims: Claims): Io<number> {
  const holds = inode.kind === 'file' || inode.kind === 'directory' || inode.kind === 'symlink';
  if (!holds || (inode.flags & EXT4_INLINE_DATA_FL) !== 0) return 0;
  if (inode.kind === 'symlink' && isFastSymlink(volume.superblock, inode)) return 0;
  const walker = new Walker(volume, inode, claims);
  if ((inode.flags & EXT4_EXTENTS_FL) !== 0) yield* walker.extents(inode.block, undefined, undefined, LOGICAL_BLOCKS_END);
  else yield* walker.pointers();
  return walker.taken;
}

class Walker {
  readonly #volume: Volume;
  readonly #inode: Inode;
  readonly #claims: Claims;
  taken = 0;

  constructor(volume: Volume, inode: Inode, claims: Claims) {
    this.#volume = volume;
    this.#inode = inode;
    this.#claims = claims;
  }

  #claim(block: number, count: number): void {
    this.taken += count;
    // No map can name more blocks than there are without naming some twice.
    if (this.taken > this.#volume.superblock.blocksCount) throw this.#corrupt('more blocks than the file system has');
    this.#claims.add(block, count);
  }

  #corrupt(message: string): Corrupt {
    return new Corrupt(message, { layer: 'ext4', inode: this.#inode.number });
  }

  *extents(bytes: Bytes, depth: number | undefined, from: number | undefined, to: number): Io<void> {
    const { superblock } = this.#volume;
    const bounds = { first: superblock.firstDataBlock, end: superblock.blocksCount, depth, from, to };
    const node: ExtentNode = parseExtentNode(bytes, bounds, { inode: this.#inode.number });
    for (let i = 0; i < node.logical.length; i++) {
      const physical = node.physical[i]!;
      if (node.depth === 0) {
        this.#claim(physical, node.length[i]!);
        continue;
      }
      this.#claim(physical, 1);
      const block = yield* this.#read(physical);
      if (superblock.metadataCsum) this.#verify(block);
      yield* this.extents(block, node.depth - 1, node.logical[i]!, node.logical[i + 1] ?? to);
    }
  }

  #verify(block: Bytes): void {
    const view = viewOf(block);
    const max = view.getUint16(4, true);
    const at = 12 + 12 * max;
    const { number, generation } = this.#inode;
    if (at + 4 > block.length) throw this.#corrupt('an extent node larger than its block');
    const sum = extentBlockChecksum(inodeSeed(this.#volume.superblock.checksumSeed, number, generation), block, max);
    if (view.getUint32(at, true) !== sum) throw this.#corrupt('the checksum of an extent node does not match');
  }

  *pointers(): Io<void> {
    const view = viewOf(this.#inode.block);
    for (let slot = 0; slot < 15; slot++) {
      const block = view.getUint32(slot * 4, true);
      if (block === 0) continue;
      // The blocks that the resize inode lists belong to the groups that keep them.
      if (this.#inode.number === EXT4_RESIZE_INO) this.#checked(block);
      else yield* this.#tree(block, Math.max(0, slot - EXT4_NDIR_BLOCKS + 1));
    }
  }

  #checked(block: number): void {
    const { firstDataBlock, blocksCount } = this.#volume.superblock;
    if (!(block > firstDataBlock && block < blocksCount)) throw this.#corrupt(`block ${block} lies outside of the file system`);
    this.#claim(block, 1);
  }

  *#tree(block: number, level: number): Io<void> {
    this.#checked(block);
    if (level === 0) return;
    const view = viewOf(yield* this.#read(block));
    for (let at = 0; at < view.byteLength; at += 4) {
      const child = view.getUint32(at, true);
      if (child === 0) continue;
      if (level === 1) this.#checked(child);
      else yield* this.#tree(child, level - 1);
    }
  }

  *#read(block: number): Io<Bytes> {
    const { blockSize } = this.#volume.superblock;
    return (yield* this.#volume.cache.read(this.#volume.offsetOfBlock(block, this.#inode.number), blockSize)).slice();
  }
}

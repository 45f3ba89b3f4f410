/**
 * Is a file system whole? The questions of e2fsck's five passes, asked and not answered by repairs: inodes and what they hold, the
 * structure of directories, where they hang, link counts, bitmaps and counts.
 */
import { findSet, testBit } from '../../bytes/bitmap.ts';
import type { Bytes } from '../../bytes/struct.ts';
import { viewOf } from '../../bytes/struct.ts';
import { GuestlessError } from '../../errors.ts';
import type { DirectoryPart } from '../../filesystem/filesystem.ts';
import type { BlockDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { readBlockBitmap, readInodeBitmap } from '../bitmaps.ts';
import type { Ext4 } from '../ext4.ts';
import {
  COMPAT,
  EXT4_EA_INODE_FL,
  EXT4_INLINE_DATA_FL,
  EXT4_JOURNAL_INO,
  EXT4_RESIZE_INO,
  EXT4_ROOT_INO,
  INCOMPAT,
  RO_COMPAT,
} from '../format/index.ts';
import type { Inode } from '../inode.ts';
import { isHidden, readInode } from '../inode-table.ts';
import { clustersInGroup, descriptorBlocksInGroup, groupFirstBlock, hasSuperblockCopy, superblockBlock } from '../layout.ts';
import { findRun } from '../mapping.ts';
import { mountExt4 } from '../mount.ts';
import type { Volume } from '../volume.ts';
import { claimBlocks } from './blocks.ts';
import { Claims } from './claims.ts';

export interface Ext4CheckResult {
  /** What is wrong, for people; empty when the file system is clean. A bounded list. */
  readonly problems: readonly string[];
}

const MAX_PROBLEMS = 100;
/** Link counts above this are not kept: the directory has the count 1 (EXT4_LINK_MAX). */
const LINK_MAX = 65_000;

/** What was seen of a node in use. */
interface Seen {
  readonly directory: boolean;
  readonly links: number;
  /** Names that lead to it. */
  names: number;
  /** Directories in it. */
  children: number;
  /** Not to be named by any directory. */
  readonly hidden: boolean;
  /** For a directory: what its `..` says, and where it hangs. */
  dotDot: number | undefined;
  parent: number | undefined;
}

/** Checks the ext2, ext3 or ext4 file system on a device without changing it. Throws only what reading the device itself throws. */
export function* checkExt4(device: BlockDevice): Io<Ext4CheckResult> {
  const problems: string[] = [];
  try {
    const ext4 = yield* mountExt4(device);
    if (ext4.volume.fastCommits === undefined) yield* new Check(ext4, problems, ext4.volume.device !== device).run();
    else problems.push('the journal ends in fast commits, which have to be replayed before a check');
  } catch (error) {
    if (!(error instanceof GuestlessError) || error.family === 'posix') throw error;
    problems.push(error.message);
  }
  return { problems };
}

class Check {
  readonly #ext4: Ext4;
  readonly #volume: Volume;
  readonly #claims: Claims;
  readonly #problems: string[];
  readonly #replayed: boolean;
  readonly #seen = new Map<number, Seen>();
  readonly #attributes = new Set<number>();
  readonly #usedInodes = new Map<number, number>();
  readonly #directories = new Map<number, number>();

  /** `replayed`: the journal was replayed in memory; the kernel does not keep the superblock's counts in it. */
  constructor(ext4: Ext4, problems: string[], replayed: boolean) {
    this.#replayed = replayed;
    this.#ext4 = ext4;
    this.#volume = ext4.volume;
    this.#claims = new Claims(ext4.volume.superblock);
    this.#problems = problems;
  }

  #problem(message: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(message);
  }

  /** Goes on after what is broken, and says what it was. */
  *#guarded(body: () => Io<void>): Io<void> {
    try {
      yield* body();
    } catch (error) {
      if (!(error instanceof GuestlessError) || error.family === 'posix') throw error;
      this.#problem(error.message);
    }
  }

  *run(): Io<void> {
    const { superblock } = this.#volume;
    for (let group = 0; group < superblock.groupCount; group++) yield* this.#guarded(() => this.#metadata(group));
    for (let group = 0; group < superblock.groupCount; group++) yield* this.#guarded(() => this.#inodes(group));
    for (const [number, seen] of this.#seen) if (seen.directory && !seen.hidden) yield* this.#guarded(() => this.#directory(number, seen));
    this.#connections();
    yield* this.#counts();
    if (this.#claims.shared.count > 0) {
      this.#problem(`${this.#claims.shared.count} blocks are claimed more than once, the first is ${this.#claims.shared.first}`);
    }
  }

  *#metadata(group: number): Io<void> {
    const { superblock } = this.#volume;
    const copy = hasSuperblockCopy(superblock, group);
    const count = descriptorBlocksInGroup(superblock, group) + (copy ? 1 + superblock.raw.s_reserved_gdt_blocks : 0);
    if (count > 0) {
      // With 1 KiB blocks and clusters, the boot block is a block of the first group.
      const first = superblockBlock(superblock, group);
      const extra = group === 0 && first > superblock.firstDataBlock ? 1 : 0;
      this.#claims.add(first - extra, count + extra);
    }
    const { blockBitmap, inodeBitmap, inodeTable } = yield* this.#volume.groups.descriptor(group);
    this.#claims.add(blockBitmap, 1);
    this.#claims.add(inodeBitmap, 1);
    this.#claims.add(inodeTable, Math.ceil((superblock.inodesPerGroup * superblock.inodeSize) / superblock.blockSize));
    if ((superblock.incompat & INCOMPAT.mmp) !== 0 && group === 0) this.#claims.add(Number(superblock.raw.s_mmp_block), 1);
  }

  *#inodes(group: number): Io<void> {
    const { inodesPerGroup, firstInode } = this.#volume.superblock;
    const bitmap = yield* readInodeBitmap(this.#volume, group);
    const { unusedInodes } = yield* this.#volume.groups.descriptor(group);
    let used = 0;
    for (let bit = findSet(bitmap, 0, inodesPerGroup); bit < inodesPerGroup; bit = findSet(bitmap, bit + 1, inodesPerGroup)) {
      used++;
      const number = group * inodesPerGroup + bit + 1;
      if (bit >= inodesPerGroup - unusedInodes) this.#problem(`inode ${number} is in use in the unused part of its table`);
      if (number < firstInode && number !== EXT4_ROOT_INO && !this.#isSet(number)) continue;
      yield* this.#guarded(() => this.#inode(number, group));
    }
    this.#usedInodes.set(group, used);
  }

  /** Whether a reserved inode holds anything. */
  #isSet(number: number): boolean {
    if (number === EXT4_RESIZE_INO || number === EXT4_JOURNAL_INO) {
      const { compat, raw } = this.#volume.superblock;
      return number === EXT4_JOURNAL_INO ? raw.s_journal_inum === number : (compat & COMPAT.resize_inode) !== 0;
    }
    const { raw } = this.#volume.superblock;
    return number === raw.s_usr_quota_inum || number === raw.s_grp_quota_inum;
  }

  *#inode(number: number, group: number): Io<void> {
    const { superblock } = this.#volume;
    const inode = yield* readInode(this.#volume, number);
    const hidden = isHidden(this.#volume, number) || (inode.flags & EXT4_EA_INODE_FL) !== 0;
    const directory = inode.kind === 'directory';
    if (directory) this.#directories.set(group, (this.#directories.get(group) ?? 0) + 1);
    this.#seen.set(number, { directory, links: inode.links, names: 0, children: 0, hidden, dotDot: undefined, parent: undefined });
    if (inode.links === 0) this.#problem(`inode ${number} is in use and has no links`);
    let taken = yield* claimBlocks(this.#volume, inode, this.#claims);
    if (inode.fileAcl !== 0) {
      taken++;
      if (!this.#attributes.has(inode.fileAcl)) this.#claims.add(inode.fileAcl, 1);
      this.#attributes.add(inode.fileAcl);
    }
    // Clusters, and values in inodes of their own, are charged by rules of their own; the resize inode counts what groups keep.
    const plain = superblock.clusterRatio === 1 && (superblock.incompat & INCOMPAT.ea_inode) === 0 && number !== EXT4_RESIZE_INO;
    const sectors = (taken * superblock.blockSize) / 512;
    if (plain && sectors !== inode.blocks) this.#problem(`inode ${number}: i_blocks is ${inode.blocks}, should be ${sectors}`);
  }

  *#directory(number: number, seen: Seen): Io<void> {
    const inode = yield* readInode(this.#volume, number);
    seen.dotDot = yield* this.#dotDot(inode);
    let cursor: number | undefined;
    do {
      const part: DirectoryPart = yield* this.#ext4.readDirectory(number, cursor);
      for (const { node, kind } of part.entries) this.#entry(number, seen, node, kind);
      cursor = part.next;
    } while (cursor !== undefined);
  }

  #entry(number: number, seen: Seen, node: number, kind: string | undefined): void {
    const target = this.#seen.get(node);
    if (target === undefined || target.hidden) {
      this.#problem(`directory ${number} names inode ${node}, which is ${target === undefined ? 'not in use' : 'reserved'}`);
      return;
    }
    target.names++;
    if (kind !== undefined && (kind === 'directory') !== target.directory)
      this.#problem(`directory ${number} has a wrong type for inode ${node}`);
    if (!target.directory) return;
    seen.children++;
    if (target.parent !== undefined) this.#problem(`directory ${node} has more than one name`);
    target.parent = number;
  }

  /** What `.` and `..` say; the number of the parent. */
  *#dotDot(inode: Inode): Io<number | undefined> {
    if ((inode.flags & EXT4_INLINE_DATA_FL) !== 0) return viewOf(inode.block).getUint32(0, true);
    const { blockSize } = this.#volume.superblock;
    const run = yield* findRun(this.#volume, inode, 0);
    if (run.physical === undefined) {
      this.#problem(`directory ${inode.number} has no first block`);
      return undefined;
    }
    const bytes: Bytes = yield* this.#volume.cache.read(this.#volume.offsetOfBlock(run.physical, inode.number), blockSize);
    const view = viewOf(bytes);
    const second = view.getUint16(4, true);
    const isDots = bytes[6] === 1 && bytes[8] === 0x2e && second + 12 <= blockSize && bytes[second + 6] === 2;
    if (!isDots || view.getUint32(0, true) !== inode.number) {
      this.#problem(`directory ${inode.number} does not begin with itself and its parent`);
      return undefined;
    }
    return view.getUint32(second, true);
  }

  /** Where directories hang, and how many links all have. */
  #connections(): void {
    const { roCompat } = this.#volume.superblock;
    for (const [number, seen] of this.#seen) {
      if (seen.hidden) continue;
      const root = number === EXT4_ROOT_INO;
      if (!root && seen.names === 0) {
        this.#problem(`inode ${number} is in no directory`);
        continue;
      }
      const expected = seen.directory ? 2 + seen.children : seen.names;
      const uncounted = seen.directory && seen.links === 1 && ((roCompat & RO_COMPAT.dir_nlink) !== 0 || expected > LINK_MAX);
      if (seen.links !== expected && !uncounted) this.#problem(`inode ${number}: the link count is ${seen.links}, should be ${expected}`);
      if (seen.directory && seen.dotDot !== (root ? EXT4_ROOT_INO : seen.parent)) {
        this.#problem(`directory ${number}: '..' is ${seen.dotDot}, should be ${root ? EXT4_ROOT_INO : seen.parent}`);
      }
    }
    this.#loops();
  }

  /** Directories that hang below themselves are never reached from the root. */
  #loops(): void {
    const reached = new Set<number>([EXT4_ROOT_INO]);
    for (const [number, seen] of this.#seen) {
      if (!seen.directory || seen.hidden) continue;
      const path: number[] = [];
      let at: number | undefined = number;
      const onPath = new Set<number>();
      while (at !== undefined && !reached.has(at) && !onPath.has(at)) {
        path.push(at);
        onPath.add(at);
        at = this.#seen.get(at)?.parent;
      }
      if (at !== undefined && onPath.has(at)) this.#problem(`directory ${at} hangs below itself`);
      for (const one of path) reached.add(one);
    }
  }

  *#counts(): Io<void> {
    const { superblock } = this.#volume;
    const totals = { clusters: 0, inodes: 0 };
    for (let group = 0; group < superblock.groupCount; group++) {
      yield* this.#guarded(() => this.#group(group, totals));
      this.#claims.forget(group);
    }
    if (this.#replayed) return;
    const { s_free_blocks_count_lo: low, s_free_blocks_count_hi: high, s_free_inodes_count: inodes } = superblock.raw;
    const free = low + ((superblock.incompat & INCOMPAT['64bit']) === 0 ? 0 : high * 2 ** 32);
    if (free !== totals.clusters * superblock.clusterRatio)
      this.#problem(`the superblock counts ${free} free blocks, there are ${totals.clusters}`);
    if (inodes !== totals.inodes) this.#problem(`the superblock counts ${inodes} free inodes, there are ${totals.inodes}`);
  }

  *#group(group: number, totals: { clusters: number; inodes: number }): Io<void> {
    const { superblock } = this.#volume;
    const { freeClusters, freeInodes, usedDirectories } = yield* this.#volume.groups.descriptor(group);
    totals.clusters += freeClusters;
    totals.inodes += freeInodes;
    const unused = superblock.inodesPerGroup - (this.#usedInodes.get(group) ?? 0);
    if (freeInodes !== unused) this.#problem(`group ${group} counts ${freeInodes} free inodes, there are ${unused}`);
    const directories = this.#directories.get(group) ?? 0;
    if (usedDirectories !== directories) this.#problem(`group ${group} counts ${usedDirectories} directories, there are ${directories}`);
    const bitmap = yield* readBlockBitmap(this.#volume, group);
    const claimed = this.#claims.bitmap(group);
    const clusters = clustersInGroup(superblock, group);
    let free = 0;
    let wrong: number | undefined;
    for (let at = 0; at * 8 < clusters; at++) {
      const byte = bitmap[at]!;
      if (byte !== claimed[at]) {
        for (let bit = at * 8; wrong === undefined && bit < Math.min(clusters, at * 8 + 8); bit++) {
          if (testBit(bitmap, bit) !== testBit(claimed, bit)) wrong = bit;
        }
      }
      for (let bit = at * 8; bit < Math.min(clusters, at * 8 + 8); bit++) if (!testBit(bitmap, bit)) free++;
    }
    if (wrong !== undefined) {
      const block = groupFirstBlock(superblock, group) + wrong * superblock.clusterRatio;
      this.#problem(`block ${block} is ${testBit(claimed, wrong) ? 'used and marked free' : 'marked used and nothing uses it'}`);
    }
    if (freeClusters !== free) this.#problem(`group ${group} counts ${freeClusters} free blocks, there are ${free}`);
  }
}

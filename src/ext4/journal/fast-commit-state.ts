/**
 * The outcome of fast commits, for reading: what differs from the disk, by inode and by directory. Nothing is allocated and no block is
 * rewritten; a reader asks here before it believes the disk. The rules are those of the kernel's replay (ext4_fc_replay_*).
 */

import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { latin1 } from '../../bytes/text.ts';
import { kindOfMode } from '../../filesystem/filesystem.ts';
import { hasChecksumHigh, inodeChecksum } from '../checksum.ts';
import { EXT4_EXT_MAGIC, EXT4_EXTENT_HEADER, EXT4_EXTENTS_FL, EXT4_INLINE_DATA_FL, EXT4_INODE_128 } from '../format/index.ts';
import type { FastCommitOperation } from './fast-commit.ts';
import { RangeOverlay } from './range-overlay.ts';

/** Where `i_block` begins, and `i_generation` behind it. */
const I_BLOCK = 0x28;
const I_GENERATION = 0x64;
const I_LINKS_COUNT = 0x1a;
/** `eh_max` of a root in `i_block`. */
const ROOT_EXTENTS = 4;

interface InodeState {
  /** The last inode record. */
  bytes: Bytes | undefined;
  /** Set by CREAT, changed by LINK and UNLINK after the last inode record. */
  links: number | undefined;
  linkChange: number;
  ranges: RangeOverlay;
  /** Made by a CREAT in the fast commits as a directory: it begins empty, in this parent. */
  createdIn: number | undefined;
}

type EntryEdit = { readonly add: boolean; readonly inode: number };

/** What a directory entry is after the fast commits. */
export interface EditedEntry {
  readonly name: Bytes;
  /** In the order in which they happened. */
  readonly edits: readonly EntryEdit[];
}

export class FastCommitState {
  /** All operations in their order, for a writer that applies them to the disk. */
  readonly operations: readonly FastCommitOperation[];
  readonly #inodes = new Map<number, InodeState>();
  readonly #directories = new Map<number, Map<string, { name: Bytes; edits: EntryEdit[] }>>();

  constructor(operations: readonly FastCommitOperation[]) {
    this.operations = operations;
    for (const operation of operations) this.#apply(operation);
  }

  /** Whether the inode itself or its block map differs from the disk. */
  hasInode(inode: number): boolean {
    return this.#inodes.has(inode);
  }

  /** Numbers of inodes that differ from the disk. */
  get inodes(): Iterable<number> {
    return this.#inodes.keys();
  }

  /**
   * The inode as it is after the fast commits, with a right checksum, made from the one in the inode table. The block map stays that of
   * the table (see {@link ranges}), and is empty when the table holds another file's: an earlier user of the same number.
   */
  inodeBytes(inode: number, base: Bytes, checksumSeed: number | undefined): Bytes {
    const state = this.#inodes.get(inode);
    if (state === undefined) return base;
    const bytes = base.slice();
    if (state.bytes !== undefined) applyInodeRecord(bytes, state.bytes);
    const view = viewOf(bytes);
    const links = (state.links ?? view.getUint16(I_LINKS_COUNT, true)) + state.linkChange;
    view.setUint16(I_LINKS_COUNT, Math.max(0, Math.min(0xffff, links)), true);
    if (checksumSeed !== undefined) {
      const checksum = inodeChecksum(checksumSeed, inode, bytes, 0, bytes.length);
      view.setUint16(0x7c, checksum & 0xffff, true);
      if (hasChecksumHigh(bytes, 0, bytes.length)) view.setUint16(0x82, checksum >>> 16, true);
    }
    return bytes;
  }

  /** Changes to the block map of an inode. */
  ranges(inode: number): RangeOverlay | undefined {
    const ranges = this.#inodes.get(inode)?.ranges;
    return ranges === undefined || ranges.ranges.length === 0 ? undefined : ranges;
  }

  /** The parent of a directory that the fast commits made: it has no blocks on the disk yet, only {@link entries}. */
  parentOfCreated(inode: number): number | undefined {
    return this.#inodes.get(inode)?.createdIn;
  }

  /** The names of a directory that were added or removed, each once. */
  entries(directory: number): readonly EditedEntry[] {
    return [...(this.#directories.get(directory)?.values() ?? [])];
  }

  /** The node that a name stands for after the fast commits, given what the disk says; undefined: there is no such name. */
  resolve(directory: number, name: Bytes, onDisk: number | undefined): number | undefined {
    const entry = this.#directories.get(directory)?.get(latin1(name));
    if (entry === undefined) return onDisk;
    let node = onDisk;
    for (const edit of entry.edits) {
      // A name that exists already stays as it is, and one that stands for another inode is not removed.
      if (edit.add) node ??= edit.inode;
      else if (node === edit.inode) node = undefined;
    }
    return node;
  }

  #inode(inode: number): InodeState {
    let state = this.#inodes.get(inode);
    if (state === undefined) {
      state = { bytes: undefined, links: undefined, linkChange: 0, ranges: new RangeOverlay(), createdIn: undefined };
      this.#inodes.set(inode, state);
    }
    return state;
  }

  #edit(directory: number, name: Bytes, edit: EntryEdit): void {
    let entries = this.#directories.get(directory);
    if (entries === undefined) {
      entries = new Map();
      this.#directories.set(directory, entries);
    }
    const key = latin1(name);
    const entry = entries.get(key);
    if (entry === undefined) entries.set(key, { name, edits: [edit] });
    else entry.edits.push(edit);
  }

  #apply(operation: FastCommitOperation): void {
    const state = this.#inode(operation.inode);
    switch (operation.kind) {
      case 'inode':
        if (state.bytes !== undefined && generationOf(state.bytes) !== generationOf(operation.bytes)) {
          // The number was freed and given to a new file in between.
          state.ranges = new RangeOverlay();
          state.createdIn = undefined;
        }
        state.bytes = operation.bytes;
        state.links = undefined;
        state.linkChange = 0;
        return;
      case 'addRange':
        state.ranges.put(operation);
        return;
      case 'removeRange':
        state.ranges.put({ logical: operation.logical, length: operation.length, physical: undefined, uninitialized: false });
        return;
      case 'create': {
        const made = state.bytes === undefined ? undefined : EXT4_INODE_128.read(state.bytes);
        if (made !== undefined && kindOfMode(made.i_mode) === 'directory') {
          state.createdIn = operation.parent;
          this.#directories.delete(operation.inode);
        }
        state.links = 1;
        state.linkChange = 0;
        this.#edit(operation.parent, operation.name, { add: true, inode: operation.inode });
        return;
      }
      case 'link':
        state.linkChange++;
        this.#edit(operation.parent, operation.name, { add: true, inode: operation.inode });
        return;
      case 'unlink':
        state.linkChange--;
        this.#edit(operation.parent, operation.name, { add: false, inode: operation.inode });
        return;
    }
  }
}

function generationOf(inode: Bytes): number {
  return viewOf(inode).getUint32(I_GENERATION, true);
}

/** Copies an inode record over the inode in the table, all but its block map (ext4_fc_replay_inode). */
function applyInodeRecord(table: Bytes, record: Bytes): void {
  const { i_flags: flags } = EXT4_INODE_128.read(record);
  const sameFile = generationOf(table) === generationOf(record);
  const root = table.slice(I_BLOCK, I_GENERATION);
  table.set(record.subarray(0, table.length));
  // Only extents are described by ranges; anything else that i_block holds is in the record: inline data, a short link, a device.
  if ((flags & EXT4_EXTENTS_FL) === 0 || (flags & EXT4_INLINE_DATA_FL) !== 0) return;
  if (!sameFile || EXT4_EXTENT_HEADER.read(root).eh_magic !== EXT4_EXT_MAGIC) {
    root.fill(0);
    EXT4_EXTENT_HEADER.write(root, 0, { eh_magic: EXT4_EXT_MAGIC, eh_max: ROOT_EXTENTS });
  }
  table.set(root, I_BLOCK);
}

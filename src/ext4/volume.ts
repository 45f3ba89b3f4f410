/** An opened ext2/3/4 file system without its verbs: the device, its cache, the superblock, the groups and bounded memories. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import { CachedDevice, type CacheOptions } from '../io/cache.ts';
import type { BlockDevice } from '../io/device.ts';
import { Complaints } from './complaints.ts';
import type { ExtentNode } from './extent-node.ts';
import { Generations } from './generations.ts';
import { GroupTable } from './groups.ts';
import type { Inode } from './inode.ts';
import type { FastCommitState } from './journal/fast-commit-state.ts';
import type { Superblock } from './superblock.ts';

export interface VolumeOptions {
  readonly complaints?: Complaints;
  /** The group whose superblock is in use; its copy of the group descriptors is read too. */
  readonly fromGroup?: number;
  /** Bytes of metadata to keep in memory; default 16 MiB. */
  readonly cacheBudget?: number;
  /** What fast commits changed, which no block of the device shows. */
  readonly fastCommits?: FastCommitState | undefined;
  /** The cache to use instead of one of its own. */
  readonly cache?: CachedDevice;
  /** The group descriptors to use instead of ones of its own. */
  readonly groups?: GroupTable;
}

/** Half of the inodes kept in memory, some 400 bytes each. */
const INODES = 512;
/** Half of the extent nodes kept in memory, some 10 KiB each with blocks of 4 KiB. */
const EXTENT_NODES = 64;

/** A decoded node and the inode it was verified for. */
export interface OwnedNode {
  readonly owner: Inode;
  readonly from: number;
  readonly to: number;
  readonly node: ExtentNode;
}

export class Volume {
  /** For bulk data: not cached. */
  readonly device: BlockDevice;
  /** For metadata. */
  readonly cache: CachedDevice;
  /** Replaced when a writer changes a feature; its geometry stays. */
  superblock: Superblock;
  readonly groups: GroupTable;
  readonly complaints: Complaints;
  readonly fastCommits: FastCommitState | undefined;
  readonly inodes: Generations<Inode> = new Generations(INODES);
  /** Blocks of directories that passed their checks, by their place on the device, and whose they are; not kept where nobody writes. */
  readonly soundBlocks: Generations<number> | undefined;
  readonly extentNodes: Generations<OwnedNode> = new Generations(EXTENT_NODES);

  constructor(device: BlockDevice, superblock: Superblock, options: VolumeOptions = {}) {
    this.device = device;
    this.cache = options.cache ?? new CachedDevice(device, cacheOptions(device, superblock, options.cacheBudget));
    this.superblock = superblock;
    this.complaints = options.complaints ?? new Complaints('verify');
    this.fastCommits = options.fastCommits;
    this.groups = options.groups ?? new GroupTable(this.cache, superblock, this.complaints, options.fromGroup ?? 0);
  }

  /** The bytes of an inode that was changed and not yet written. */
  pendingInode(_number: number): Bytes | undefined {
    return undefined;
  }

  /** Whether the block of a directory at this byte of the device was changed and has no checksum yet. */
  isUnsealed(_offset: number): boolean {
    return false;
  }

  /** Byte offset of a block. Throws Corrupt for one outside of the file system. */
  offsetOfBlock(block: number, inode?: number): number {
    const { blocksCount, blockSize } = this.superblock;
    if (!(block >= 0 && block < blocksCount)) {
      throw new Corrupt(`block ${block} lies outside of the file system's ${blocksCount} blocks`, {
        layer: 'ext4',
        ...(inode === undefined ? {} : { inode }),
      });
    }
    return block * blockSize;
  }
}

/** How the metadata of a file system is cached: in pages that hold whole blocks. */
export function cacheOptions(device: BlockDevice, superblock: Superblock, budget: number | undefined): CacheOptions {
  const pageSize = Math.max(4096, superblock.blockSize, powerOfTwoAtLeast(device.preferredRequest));
  return { pageSize, ...(budget === undefined ? {} : { budget }) };
}

function powerOfTwoAtLeast(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, value)));
}

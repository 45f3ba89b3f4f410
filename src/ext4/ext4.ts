/** ext2, ext3 and ext4 as a file system, for reading. */
import type { Bytes } from '../bytes/struct.ts';
import { isZero } from '../bytes/text.ts';
import { uuidText } from '../bytes/uuid.ts';
import { Posix } from '../errors.ts';
import type { DirectoryPart, ExtendedAttribute, FileRun, FileSystem, NodeId, Stat, Usage, Warning } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { readDirectoryPart } from './directory-read.ts';
import { mapData, readData } from './file.ts';
import { EXT4_ENCRYPT_FL, EXT4_INLINE_DATA_FL, EXT4_NAME_LEN, EXT4_ROOT_INO } from './format/index.ts';
import { deviceNumber, type Inode } from './inode.ts';
import { readNode } from './inode-table.ts';
import { lookupName } from './lookup.ts';
import { readLink } from './symlink.ts';
import { readUsage } from './usage.ts';
import type { Volume } from './volume.ts';
import { readXattrs } from './xattr-read.ts';

export class Ext4 implements FileSystem {
  readonly type: 'ext2' | 'ext3' | 'ext4';
  readonly label: Bytes;
  readonly uuid?: string;
  readonly root: NodeId = EXT4_ROOT_INO;
  /** Below the verbs: superblock, groups, inodes. */
  readonly volume: Volume;

  constructor(volume: Volume) {
    const { superblock } = volume;
    this.volume = volume;
    this.type = superblock.type;
    this.label = superblock.label;
    if (!isZero(superblock.uuid)) this.uuid = uuidText(superblock.uuid);
  }

  get warnings(): readonly Warning[] {
    return this.volume.complaints.warnings;
  }

  /** Why this file system must not be written; undefined when nothing is against it. */
  get readOnlyReason(): string | undefined {
    return this.volume.superblock.readOnlyReason;
  }

  *lookup(directory: NodeId, name: Bytes): Io<NodeId | undefined> {
    const inode = yield* this.#directory(directory);
    if (name.length > EXT4_NAME_LEN) throw new Posix('ENAMETOOLONG', { layer: 'ext4', inode: directory });
    return yield* lookupName(this.volume, inode, name);
  }

  *readDirectory(directory: NodeId, cursor?: number): Io<DirectoryPart> {
    const inode = yield* this.#directory(directory);
    return yield* readDirectoryPart(this.volume, inode, cursor);
  }

  *stat(node: NodeId): Io<Stat> {
    const inode = yield* readNode(this.volume, node);
    const { kind } = inode;
    const inlineFile = kind === 'file' && (inode.flags & EXT4_INLINE_DATA_FL) !== 0;
    const stat: { -readonly [K in keyof Stat]: Stat[K] } = {
      node,
      kind,
      mode: inode.mode,
      links: inode.links,
      uid: inode.uid,
      gid: inode.gid,
      size: inode.size,
      // As the kernel tells it: a file inside of its inode takes the blocks that its size would.
      blocks: inlineFile ? inode.blocks + Math.ceil(inode.size / 512) : inode.blocks,
      blockSize: this.volume.superblock.blockSize,
      atime: inode.atime,
      mtime: inode.mtime,
      ctime: inode.ctime,
      flags: inode.flags,
      generation: inode.generation,
    };
    if (inode.btime !== undefined) stat.btime = inode.btime;
    if (kind === 'character' || kind === 'block') stat.device = deviceNumber(inode.block);
    // The length of what readlink gives, which differs from what is stored for an encrypted link.
    if (kind === 'symlink' && (inode.flags & EXT4_ENCRYPT_FL) !== 0) stat.size = (yield* readLink(this.volume, inode)).length;
    return stat;
  }

  *read(node: NodeId, offset: number, target: Bytes): Io<number> {
    const inode = yield* this.#file(node);
    return yield* readData(this.volume, inode, offset, target);
  }

  *mapFile(node: NodeId, offset: number, length: number): Io<FileRun> {
    const inode = yield* this.#file(node);
    if (!(offset >= 0 && offset < inode.size && length > 0)) throw new Posix('ENXIO', { layer: 'ext4', inode: node });
    return yield* mapData(this.volume, inode, offset, length);
  }

  *readlink(node: NodeId): Io<Bytes> {
    const inode = yield* readNode(this.volume, node);
    if (inode.kind !== 'symlink') throw new Posix('EINVAL', { layer: 'ext4', inode: node });
    return yield* readLink(this.volume, inode);
  }

  *xattrs(node: NodeId): Io<readonly ExtendedAttribute[]> {
    const inode = yield* readNode(this.volume, node);
    return yield* readXattrs(this.volume, inode);
  }

  usage(): Io<Usage> {
    return readUsage(this.volume);
  }

  *#directory(node: NodeId): Io<Inode> {
    const inode = yield* readNode(this.volume, node);
    if (inode.kind !== 'directory') throw new Posix('ENOTDIR', { layer: 'ext4', inode: node });
    return inode;
  }

  *#file(node: NodeId): Io<Inode> {
    const inode = this.volume.inodes.get(node) ?? (yield* readNode(this.volume, node));
    if (inode.kind === 'directory') throw new Posix('EISDIR', { layer: 'ext4', inode: node });
    if (inode.kind !== 'file') throw new Posix('EINVAL', { layer: 'ext4', inode: node });
    if ((inode.flags & EXT4_ENCRYPT_FL) !== 0) throw new Posix('ENOKEY', { layer: 'ext4', inode: node });
    return inode;
  }
}

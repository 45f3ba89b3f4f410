/** ISO 9660 with Rock Ridge, Joliet and zisofs as a file system, for reading; what stat(2) says is what Linux's isofs says. */
import type { Bytes } from '../bytes/struct.ts';
import { encodeName } from '../bytes/text.ts';
import { Corrupt, Posix, Unsupported } from '../errors.ts';
import type {
  DirectoryEntry,
  DirectoryPart,
  ExtendedAttribute,
  FileRun,
  FileSystem,
  NodeId,
  Stat,
  Usage,
  Warning,
} from '../filesystem/filesystem.ts';
import { identify } from '../filesystem/signatures.ts';
import { CachedDevice } from '../io/cache.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { identifierText, readDescriptors } from './descriptors.ts';
import type { Inode, Section } from './record.ts';
import { type Naming, Volume } from './volume.ts';
import { type Inflate, Zisofs } from './zisofs.ts';

export interface Iso9660Options {
  /** Inflates raw deflate streams (RFC 1951) so that the target is full; without it files compressed by zisofs are refused. */
  readonly inflate?: Inflate;
  /** Bytes of pages to keep; default 16 MiB. */
  readonly cacheBudget?: number;
}

/** Names of a directory given at a time. */
const PART = 1024;
const LAYER = 'iso9660';

export class Iso9660 implements FileSystem {
  readonly type = 'iso9660';
  readonly root: NodeId;
  readonly label: Bytes;
  readonly uuid?: string;
  readonly #volume: Volume;
  readonly #inflate: Inflate | undefined;
  /** The compressed file that was read last, with its inflated block. */
  #zisofs: { readonly node: NodeId; readonly file: Zisofs } | undefined;

  /** Use {@link mountIso9660}. */
  constructor(volume: Volume, root: NodeId, label: Bytes, uuid: string | undefined, inflate: Inflate | undefined) {
    this.#volume = volume;
    this.root = root;
    this.label = label;
    if (uuid !== undefined) this.uuid = uuid;
    this.#inflate = inflate;
  }

  get warnings(): readonly Warning[] {
    return this.#volume.warnings;
  }

  /** Which of its trees the volume shows. */
  get naming(): Naming {
    return this.#volume.naming;
  }

  *lookup(directory: NodeId, name: Bytes): Io<NodeId | undefined> {
    return yield* this.#volume.find(directory, name);
  }

  *readDirectory(directory: NodeId, cursor = 0): Io<DirectoryPart> {
    const { entries } = yield* this.#volume.directory(directory);
    const at = Math.max(0, cursor);
    const part: readonly DirectoryEntry[] = entries.slice(at, at + PART);
    return at + PART < entries.length ? { entries: part, next: at + PART } : { entries: part };
  }

  *stat(node: NodeId): Io<Stat> {
    const inode = yield* this.#volume.inode(node);
    const { kind, mode, links, uid, gid, device, size, blocks, atime, mtime, ctime, btime } = inode;
    return {
      node,
      kind,
      mode,
      links,
      uid,
      gid,
      ...(device === undefined ? {} : { device }),
      size,
      blocks,
      blockSize: this.#volume.descriptors.blockSize,
      atime,
      mtime,
      ctime,
      ...(btime === undefined ? {} : { btime }),
      flags: 0,
    };
  }

  *read(node: NodeId, offset: number, target: Bytes): Io<number> {
    const inode = yield* this.#file(node);
    const length = Math.max(0, Math.min(target.length, inode.size - offset));
    if (length === 0) return 0;
    const part = target.subarray(0, length);
    if (inode.compressed === undefined) yield* this.#readStored(node, inode, offset, part);
    else yield* this.#inflated(node, inode).readInto(offset, part);
    return length;
  }

  #inflated(node: NodeId, inode: Inode): Zisofs {
    if (this.#zisofs?.node === node) return this.#zisofs.file;
    if (inode.compressed === undefined) throw new Posix('EINVAL', { layer: LAYER, inode: node });
    const file = new Zisofs(inode.compressed, node, (offset, target) => this.#readStored(node, inode, offset, target), this.#inflate);
    this.#zisofs = { node, file };
    return file;
  }

  *#readStored(node: NodeId, inode: Inode, offset: number, target: Bytes): Io<void> {
    for (let done = 0; done < target.length; ) {
      const place = sectionAt(inode.sections, offset + done);
      if (place === undefined) throw new Corrupt('the contents of a file end too early', { layer: LAYER, inode: node });
      const length = Math.min(target.length - done, place.length);
      // Straight into the target, past the page cache.
      yield* this.#volume.cache.device.readInto(place.start, target.subarray(done, done + length));
      done += length;
    }
  }

  *#file(node: NodeId): Io<Inode> {
    const inode = yield* this.#volume.inode(node);
    if (inode.kind === 'directory') throw new Posix('EISDIR', { layer: LAYER, inode: node });
    if (inode.kind !== 'file') throw new Posix('EINVAL', { layer: LAYER, inode: node });
    if (inode.interleaved)
      throw new Unsupported('interleaved files', 'the file is interleaved with another one', { layer: LAYER, inode: node });
    return inode;
  }

  *mapFile(node: NodeId, offset: number, length: number): Io<FileRun> {
    const inode = yield* this.#file(node);
    if (!(offset >= 0 && offset < inode.size && length > 0)) throw new Posix('EINVAL', { layer: LAYER, inode: node });
    if (inode.compressed !== undefined) return { length: Math.min(length, inode.size - offset), hole: false };
    const place = sectionAt(inode.sections, offset);
    if (place === undefined) throw new Corrupt('the contents of a file end too early', { layer: LAYER, inode: node });
    return { length: Math.min(length, place.length), hole: false, deviceOffset: place.start };
  }

  *readlink(node: NodeId): Io<Bytes> {
    const { kind, target } = yield* this.#volume.inode(node);
    if (kind !== 'symlink') throw new Posix('EINVAL', { layer: LAYER, inode: node });
    if (target === undefined || target.length === 0) throw new Corrupt('a symbolic link without target', { layer: LAYER, inode: node });
    return target;
  }

  *xattrs(node: NodeId): Io<readonly ExtendedAttribute[]> {
    yield* this.#volume.inode(node);
    return [];
  }

  // biome-ignore lint/correctness/useYield: a computation like that of other file systems
  *usage(): Io<Usage> {
    const { blockSize, primary } = this.#volume.descriptors;
    return {
      blockSize,
      blocks: primary.volumeSpaceSize,
      freeBlocks: 0,
      availableBlocks: 0,
      inodes: 0,
      freeInodes: 0,
      maximumNameLength: 255,
    };
  }
}

/** What is left of the section that holds byte `offset` of a file, from there on. */
function sectionAt(sections: readonly Section[], offset: number): Section | undefined {
  let before = 0;
  for (const { start, length } of sections) {
    if (offset < before + length) return { start: start + offset - before, length: length - (offset - before) };
    before += length;
  }
  return undefined;
}

/**
 * Mounts an ISO 9660 volume that begins at byte 0 of the device, for reading. Rock Ridge is preferred to Joliet, and Joliet to plain names.
 *
 * Throws Corrupt where there is no volume or no root directory, Unsupported for High Sierra.
 */
export function* mountIso9660(device: BlockDevice, options: Iso9660Options = {}): Io<Iso9660> {
  const cache = new CachedDevice(device, options.cacheBudget === undefined ? {} : { budget: options.cacheBudget });
  const descriptors = yield* readDescriptors(cache);
  const volume = new Volume(cache, descriptors);
  const root = yield* volume.begin();
  if ((yield* volume.inode(root)).kind !== 'directory') throw new Corrupt('the root is no directory', { layer: LAYER, inode: root });
  const { label, uuid } = yield* signatureOf(cache, descriptors.primary.volumeIdentifier);
  return new Iso9660(volume, root, label, uuid, options.inflate);
}

/** Label and identifier as blkid prints them; those of the descriptor itself where the disc is of another type too. */
function* signatureOf(device: BlockDevice, volumeIdentifier: Bytes): Io<{ readonly label: Bytes; readonly uuid?: string }> {
  try {
    const signature = yield* identify(device);
    if (signature?.type === 'iso9660') return signature;
  } catch (error) {
    if (!(error instanceof Corrupt)) throw error;
  }
  return { label: encodeName(identifierText(volumeIdentifier)) };
}

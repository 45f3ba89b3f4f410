/** Unpacking a tar archive into a directory of a guest. Nothing is written outside of it. */
import { type Bytes, decodeName } from '../bytes/index.ts';
import { Posix, Refused } from '../errors.ts';
import type { NewFile, NodeId, WritableFileSystem } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import type { Pull } from '../io/pieces.ts';
import type { EditableTree } from './edit.ts';
import { isWritable, type Place, pathOf } from './mounts.ts';
import { isDot, isDotDot, joinPath, type Path, pathNames, SLASH, wherePath } from './path.ts';
import { type TarMember, type TarPiece, TarReader } from './tar-read.ts';
import { WALK_DEPTH } from './walk.ts';

export interface TarInOptions {
  /** Extended attributes and ACLs: all (the default), none, or those whose name is taken. */
  readonly xattrs?: boolean | ((name: Bytes) => boolean);
  /** A directory of the archive under the name of a symbolic link that leads to a directory leaves the link alone. Default false. */
  readonly keepDirectoryLinks?: boolean;
  /** The numbers to give a member; default those in the archive. */
  readonly owner?: (member: TarMember) => { readonly uid: number; readonly gid: number };
}

/**
 * Unpacks an archive: modes, owners, times, attributes, hard links, holes and devices as they stand in it. A directory that is there
 * stays and gets the archive's attributes; anything else under the name of a member is replaced, a link itself and not its target, a directory
 * only when it is empty. All or nothing. Throws Refused for a name with `..`, and for a member whose directory is, by a link, outside of `into`.
 */
export function* unpackTar(tree: EditableTree, into: Path, pull: Pull, options: TarInOptions = {}): Io<{ readonly members: number }> {
  return yield* tree.transaction(() => unpack(tree, into, pull, options), { whole: true });
}

function* unpack(tree: EditableTree, into: Path, pull: Pull, options: TarInOptions): Io<{ readonly members: number }> {
  const target = new Target(tree, yield* tree.directory(into), options);
  const reader = new TarReader(pull);
  let members = 0;
  for (;;) {
    // Most of an archive are small files at hand, which are made without a step outside.
    const file = reader.nextFileNow();
    const member = file ?? (yield* reader.next());
    if (member === undefined) break;
    const piece = file === undefined ? undefined : reader.dataNow();
    if (!target.addNow(member, piece)) yield* target.add(member, reader, piece);
    members++;
  }
  yield* target.end();
  return { members };
}

class Target {
  readonly #tree: EditableTree;
  readonly #top: Place;
  readonly #base: Bytes;
  readonly #options: TarInOptions;
  /** Directories that were looked up, by their names in the archive. Links are not replaced without forgetting them. */
  readonly #directories = new Map<string, Place>();
  /** Where the member before went, and its name up to the last slash: archives come directory by directory. */
  #last: { readonly prefix: Bytes; readonly place: Place } | undefined;
  /** Directories get at the end what the making of their entries would change, their times, or would pass on to them, their default ACL. */
  #late: { readonly system: WritableFileSystem; readonly node: NodeId; readonly member: TarMember }[] = [];

  constructor(tree: EditableTree, top: Place, options: TarInOptions) {
    this.#tree = tree;
    this.#top = top;
    this.#base = pathOf(top);
    this.#options = options;
  }

  /** As {@link add} for a file whose contents are `piece`, where all that it takes is in memory; false: nothing was done. */
  addNow(member: TarMember, piece: TarPiece | undefined): boolean {
    if (member.kind !== 'file' || !isWhole(member, piece)) return false;
    const name = this.#besideLast(member.name);
    const parent = this.#last?.place;
    if (name === undefined || parent === undefined) return false;
    const system = writableSystem(parent, member);
    return system.createFilledNow?.(parent.node, name, this.#newFile(member, piece)) !== undefined;
  }

  /** `begun`: the beginning of its contents, where that was taken from the archive already. */
  *add(member: TarMember, reader: TarReader, begun: TarPiece | undefined): Io<void> {
    let name = this.#besideLast(member.name);
    let parent = this.#last?.place;
    if (name === undefined || parent === undefined) {
      const names = safeNames(member.name);
      name = names.at(-1);
      if (name === undefined) {
        if (member.kind === 'directory') yield* this.#attributes(writableSystem(this.#top, member), this.#top.node, member);
        return;
      }
      parent = yield* this.#directory(names.slice(0, -1), member);
      const start = member.name.lastIndexOf(SLASH) + 1;
      // A name may end in a slash or a dot behind the last that counts.
      const plain = start < member.name.length && !isDot(member.name.subarray(start));
      this.#last = plain ? { prefix: member.name.slice(0, start), place: parent } : undefined;
    }
    const system = writableSystem(parent, member);
    let first: TarPiece | undefined;
    if (member.kind === 'file') {
      first = begun ?? (yield* reader.data());
      if (yield* this.#fill(system, parent, name, member, first)) return;
    }
    const there = yield* system.lookup(parent.node, name);
    if (there !== undefined) {
      const stat = yield* system.stat(there);
      const covered = stat.kind === 'directory' && this.#tree.table.covering(parent.mount, there) !== undefined;
      if (stat.kind === 'directory' && member.kind === 'directory') {
        if (!covered) yield* this.#attributes(system, there, member);
        return;
      }
      if (stat.kind === 'symlink' && member.kind === 'directory' && this.#options.keepDirectoryLinks === true) {
        const { place } = yield* this.#tree.lookup(name, { from: parent });
        if (place?.stat.kind === 'directory') return;
      }
      // A link to itself is there already.
      const original = member.kind === 'link' ? yield* this.#original(member) : undefined;
      if (original?.node === there && original.directory.mount === parent.mount) return;
      if (stat.kind !== 'directory') yield* system.unlink(parent.node, name);
      else if (covered || !(yield* this.#removeEmpty(system, parent, name, there))) {
        throw new Posix('EISDIR', wherePath(joinPath(this.#base, member.name)));
      }
      this.#directories.clear();
      this.#last = undefined;
    }
    const node = yield* this.#make(system, parent, name, member, reader, first);
    if (node !== undefined) yield* this.#attributes(system, node, member);
  }

  /** Removes a directory in which nothing is; false when something is. */
  *#removeEmpty(system: WritableFileSystem, parent: Place, name: Bytes, node: NodeId): Io<boolean> {
    for (let cursor: number | undefined; ; ) {
      const part = yield* system.readDirectory(node, cursor);
      if (part.entries.length > 0) return false;
      if (part.next === undefined) break;
      cursor = part.next;
    }
    yield* system.rmdir(parent.node, name);
    this.#late = this.#late.filter((one) => one.system !== system || one.node !== node);
    return true;
  }

  /** The last name of a member that differs from the one before in that only; undefined for others. */
  #besideLast(name: Bytes): Bytes | undefined {
    const prefix = this.#last?.prefix;
    if (prefix === undefined) return undefined;
    const { length } = prefix;
    if (name.length <= length || name.indexOf(SLASH, length) >= 0) return undefined;
    for (let i = 0; i < length; i++) if (name[i] !== prefix[i]) return undefined;
    const last = name.subarray(length);
    return isDot(last) || isDotDot(last) ? undefined : last;
  }

  /** Makes a file in one step where it is at hand as a whole, the file system can do that, and the name is free. */
  *#fill(system: WritableFileSystem, parent: Place, name: Bytes, member: TarMember, first: TarPiece | undefined): Io<boolean> {
    if (!isWhole(member, first) || system.createFilled === undefined) return false;
    return (yield* system.createFilled(parent.node, name, this.#newFile(member, first))) !== undefined;
  }

  #newFile(member: TarMember, contents: TarPiece | undefined): NewFile {
    const { uid, gid } = this.#owner(member);
    const { mode, mtime } = member;
    const all = this.#xattrs(member);
    const xattrs = all.length === 0 ? all : all.filter((one) => !isDefaultAcl(one.name));
    return { mode, uid, gid, contents: contents?.bytes ?? NOTHING, atime: mtime, mtime, xattrs };
  }

  *end(): Io<void> {
    for (const { system, node, member } of this.#late) {
      for (const { name, value } of this.#xattrs(member)) if (isDefaultAcl(name)) yield* system.setXattr(node, name, value);
      yield* system.setAttributes(node, { atime: member.mtime, mtime: member.mtime });
    }
  }

  *#make(
    system: WritableFileSystem,
    parent: Place,
    name: Bytes,
    member: TarMember,
    reader: TarReader,
    first: TarPiece | undefined,
  ): Io<NodeId | undefined> {
    const creation = { mode: member.mode, ...this.#owner(member) };
    switch (member.kind) {
      case 'directory':
        return yield* system.mkdir(parent.node, name, creation);
      case 'symlink':
        return yield* system.symlink(parent.node, name, member.linkname, this.#owner(member));
      case 'link': {
        const original = yield* this.#original(member);
        if (original === undefined) throw new Posix('ENOENT', wherePath(member.linkname));
        if (original.directory.mount !== parent.mount) throw new Posix('EXDEV', wherePath(member.name));
        yield* system.link(original.node, parent.node, name);
        return undefined;
      }
      case 'file': {
        const node = yield* system.create(parent.node, name, creation);
        let end = 0;
        for (let piece = first; piece !== undefined; piece = yield* reader.data()) {
          yield* system.write(node, piece.offset, piece.bytes);
          end = piece.offset + piece.bytes.length;
        }
        if (end < member.size) yield* system.truncate(node, member.size);
        return node;
      }
      default:
        return yield* system.mknod(parent.node, name, member.kind, creation, member.device);
    }
  }

  /** What a hard link leads to. */
  *#original(member: TarMember): Io<{ readonly directory: Place; readonly node: NodeId } | undefined> {
    const names = safeNames(member.linkname);
    const name = names.at(-1);
    const directory = yield* this.#directory(names.slice(0, -1), member);
    const node = name === undefined ? undefined : yield* directory.mount.fileSystem.lookup(directory.node, name);
    return node === undefined ? undefined : { directory, node };
  }

  *#attributes(system: WritableFileSystem, node: NodeId, member: TarMember): Io<void> {
    const mode = member.kind === 'symlink' ? {} : { mode: member.mode };
    yield* system.setAttributes(node, { ...mode, ...this.#owner(member), atime: member.mtime, mtime: member.mtime });
    // After the owner: file capabilities do not outlive its change.
    for (const { name, value } of this.#xattrs(member)) if (!isDefaultAcl(name)) yield* system.setXattr(node, name, value);
    if (member.kind === 'directory') this.#late.push({ system, node, member });
  }

  #xattrs(member: TarMember): TarMember['xattrs'] {
    const { xattrs = true } = this.#options;
    if (xattrs === true) return member.xattrs;
    return xattrs === false ? [] : member.xattrs.filter(({ name }) => xattrs(name));
  }

  #owner(member: TarMember): { readonly uid: number; readonly gid: number } {
    return this.#options.owner?.(member) ?? { uid: member.uid, gid: member.gid };
  }

  /** The directory of these names, made where it is missing. It has to be inside of the target, through whatever links it is reached. */
  *#directory(names: readonly Bytes[], member: TarMember): Io<Place> {
    let path = this.#base;
    for (const name of names) path = joinPath(path, name);
    const key = decodeName(path);
    const known = this.#directories.get(key);
    if (known !== undefined) return known;
    let here = this.#top;
    for (const name of names) {
      const { place } = yield* this.#tree.lookup(name, { from: here });
      if (place === undefined) {
        const node = yield* writableSystem(here, member).mkdir(here.node, name, { mode: 0o755 });
        here = yield* this.#tree.table.place(here, name, node);
      } else here = place;
      if (here.stat.kind !== 'directory') throw new Posix('ENOTDIR', wherePath(path));
      if (!this.#isInside(here)) {
        const outside = `the archive's ${decodeName(member.name)} would be written outside of ${decodeName(this.#base)}, through a symbolic link`;
        throw new Refused(outside);
      }
    }
    this.#directories.set(key, here);
    return here;
  }

  #isInside(place: Place): boolean {
    for (let here: Place | undefined = place; here !== undefined; here = here.parent) {
      if (here.mount === this.#top.mount && here.node === this.#top.node) return true;
    }
    return false;
  }
}

/** Whether a piece is all that a file holds. */
function isWhole(member: TarMember, piece: TarPiece | undefined): boolean {
  return piece === undefined ? member.size === 0 : piece.offset === 0 && piece.bytes.length === member.size;
}

const NOTHING: Bytes = new Uint8Array(0);

const DEFAULT_ACL = 'system.posix_acl_default';

function isDefaultAcl(name: Bytes): boolean {
  return name.length === DEFAULT_ACL.length && decodeName(name) === DEFAULT_ACL;
}

/** The names of a member; a slash at the beginning is dropped, as tar does. Throws Refused for `..`. */
function safeNames(name: Bytes): Bytes[] {
  const names = pathNames(name).filter((one) => !isDot(one));
  if (names.length > WALK_DEPTH) throw new Posix('ENAMETOOLONG', {}, `a name in the archive has more than ${WALK_DEPTH} levels`);
  if (names.some(isDotDot)) throw new Refused(`the archive's name ${decodeName(name)} contains ..`);
  return names;
}

function writableSystem(place: Place, member: TarMember): WritableFileSystem {
  const { fileSystem, readOnly } = place.mount;
  if (readOnly || !isWritable(fileSystem)) throw new Posix('EROFS', wherePath(member.name));
  return fileSystem;
}

/** The mount table: which file system stands at which directory of which other one. */
import type { Bytes } from '../bytes/struct.ts';
import { decodeName } from '../bytes/text.ts';
import { Posix, Refused } from '../errors.ts';
import type { FileSystem, NodeId, Stat, WritableFileSystem } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { NodeMap } from './node-map.ts';
import { joinPath } from './path.ts';

/** One mounted file system. */
export interface Mount {
  readonly fileSystem: FileSystem;
  /** The name of its device, such as /dev/sda1; empty when it has none. */
  readonly device: string;
  /** The absolute path where it is mounted, free of symbolic links. */
  readonly at: Bytes;
  /** It refuses changes with EROFS. */
  readonly readOnly: boolean;
}

/**
 * A node reached by a path: where it is, what it is, and through which directory it was reached (undefined for the root, whose `..` is
 * itself). Its `stat` is as of the moment when it was reached.
 */
export interface Place {
  readonly mount: Mount;
  readonly node: NodeId;
  readonly stat: Stat;
  readonly parent: Place | undefined;
  /** Its name in `parent`; empty for the root. */
  readonly name: Bytes;
}

const NO_NAME: Bytes = new Uint8Array(0);
const ROOT_PATH: Bytes = Uint8Array.of(0x2f);

/** Whether a file system has the verbs of a writable one. */
export function isWritable(fileSystem: FileSystem): fileSystem is WritableFileSystem {
  return typeof (fileSystem as Partial<WritableFileSystem>).create === 'function';
}

/** The absolute path of a place, free of symbolic links and of `.` and `..`. */
export function pathOf(place: Place): Bytes {
  const names: Bytes[] = [];
  for (let here = place; here.parent !== undefined; here = here.parent) names.push(here.name);
  let path = ROOT_PATH;
  for (let i = names.length - 1; i >= 0; i--) path = joinPath(path, names[i] as Bytes);
  return path;
}

export class MountTable {
  readonly #mounts: Mount[] = [];
  readonly #covered = new NodeMap<Mount, Mount>();

  /** All mounts, the root first, in the order of mounting. */
  get mounts(): readonly Mount[] {
    return this.#mounts;
  }

  get root(): Mount {
    const [root] = this.#mounts;
    if (root === undefined) throw new Refused('no file system is mounted yet');
    return root;
  }

  /** Puts a file system at a directory; the first goes to the root, where `point` is undefined. Throws ENOTDIR, EBUSY. */
  add(fileSystem: FileSystem, point: Place | undefined, options: { readonly device?: string; readonly readOnly?: boolean }): Mount {
    const at = point === undefined ? ROOT_PATH : pathOf(point);
    const mount: Mount = {
      fileSystem,
      device: options.device ?? '',
      at,
      readOnly: options.readOnly === true || !isWritable(fileSystem),
    };
    if (point === undefined) {
      if (this.#mounts.length > 0) throw new Posix('EBUSY', { path: '/' }, 'a file system is mounted here already');
    } else {
      if (point.stat.kind !== 'directory') throw new Posix('ENOTDIR');
      if (point.parent === undefined || point.node === point.mount.fileSystem.root) {
        throw new Posix('EBUSY', {}, 'a file system is mounted here already');
      }
      this.#covered.set(point.mount, point.node, mount);
    }
    this.#mounts.push(mount);
    return mount;
  }

  /** Takes a file system out again. Throws EBUSY when another one is mounted within it. */
  remove(mount: Mount): void {
    const index = this.#mounts.indexOf(mount);
    if (index < 0) throw new Posix('EINVAL', {}, 'not mounted');
    const within = this.#covered.hasAny(mount) || (index === 0 && this.#mounts.length > 1);
    if (within) throw new Posix('EBUSY', { path: decodeName(mount.at) }, 'another file system is mounted within');
    this.#mounts.splice(index, 1);
    this.#covered.removeValue(mount);
  }

  /** What mount(8) calls remounting: the mount stays where it is. A file system that takes the place of its own has to number nodes as it does. */
  change(mount: Mount, to: { readonly readOnly: boolean; readonly fileSystem?: FileSystem }): void {
    Object.assign(mount, to);
  }

  /** The mount that covers a directory. */
  covering(mount: Mount, node: NodeId): Mount | undefined {
    return this.#mounts.length === 1 ? undefined : this.#covered.get(mount, node);
  }

  /** Whether something is mounted on this place, or the place is the root of something mounted: neither can be removed or renamed. */
  isMountPoint(place: Place): boolean {
    return place.parent === undefined || place.mount !== place.parent.mount || this.covering(place.mount, place.node) !== undefined;
  }

  *rootPlace(): Io<Place> {
    const mount = this.root;
    const node = mount.fileSystem.root;
    return { mount, node, stat: yield* mount.fileSystem.stat(node), parent: undefined, name: NO_NAME };
  }

  /** The place of a node that `parent` names; the root of what is mounted there, if anything is. */
  *place(parent: Place, name: Bytes, node: NodeId): Io<Place> {
    const over = this.covering(parent.mount, node);
    const mount = over ?? parent.mount;
    const reached = over === undefined ? node : over.fileSystem.root;
    return { mount, node: reached, stat: yield* mount.fileSystem.stat(reached), parent, name };
  }
}

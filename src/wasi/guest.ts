/** The guest as a program of WASI sees it: one tree, and what is open in it. */
import type { Bytes } from '../bytes/struct.ts';
import { encodeName } from '../bytes/text.ts';
import { Posix } from '../errors.ts';
import type { NodeId, Timestamp, WritableFileSystem } from '../filesystem/filesystem.ts';
import type { EditableTree } from '../guest/edit.ts';
import { isWritable, type Mount, type Place, pathOf } from '../guest/mounts.ts';
import { NodeMap } from '../guest/node-map.ts';
import { joinPath, type Path } from '../guest/path.ts';
import { runSync } from '../io/drivers.ts';
import type { Io } from '../io/effect.ts';

/** How a file is named that was removed while it is open. */
const REMOVED = '.guestless-removed-';

/** A file that is open, once or several times. */
export interface OpenNode {
  readonly mount: Mount;
  readonly node: NodeId;
  count: number;
  /** Its name was removed while it was open: this is where it waits to be closed. */
  removed?: Bytes;
}

export class WasiGuest {
  readonly tree: EditableTree;
  readonly now: () => Timestamp;
  readonly #open = new NodeMap<Mount, OpenNode>();
  readonly #all = new Set<OpenNode>();
  readonly #devices = new Map<Mount, number>();
  #removals = 0;

  constructor(tree: EditableTree, now: () => Timestamp) {
    this.tree = tree;
    this.now = now;
  }

  /** A number for the file system of a mount, as st_dev. */
  device(mount: Mount): number {
    let device = this.#devices.get(mount);
    if (device === undefined) this.#devices.set(mount, (device = this.#devices.size + 1));
    return device;
  }

  open(place: Place): OpenNode {
    let node = this.#open.get(place.mount, place.node);
    if (node === undefined) {
      node = { mount: place.mount, node: place.node, count: 0 };
      this.#open.set(place.mount, place.node, node);
      this.#all.add(node);
    }
    node.count++;
    return node;
  }

  close(node: OpenNode): void {
    if (--node.count > 0) return;
    this.#open.removeValue(node);
    this.#all.delete(node);
    if (node.removed !== undefined) runSync(this.tree.unlink(node.removed));
  }

  /** Ends whatever a program left open. */
  closeAll(): void {
    for (const node of [...this.#all]) {
      node.count = 1;
      this.close(node);
    }
  }

  /** unlink(2). A file that is open keeps its contents until it is closed: it waits under a name of its own beside the old one. */
  unlink(path: Path): void {
    const { place, parent } = runSync(this.tree.lookup(path, { keepLast: true }));
    const open = place === undefined ? undefined : this.#open.get(place.mount, place.node);
    if (open === undefined || place === undefined || place.stat.links > 1) runSync(this.tree.unlink(path));
    else this.#setAside(open, parent, path);
  }

  /** rename(2); a file that is replaced while it is open is set aside as well. */
  rename(from: Path, to: Path): void {
    const { place, parent } = runSync(this.tree.lookup(to, { keepLast: true }));
    const source = runSync(this.tree.lookup(from, { keepLast: true })).place;
    const same = place !== undefined && source !== undefined && place.mount === source.mount && place.node === source.node;
    const open = place === undefined || same ? undefined : this.#open.get(place.mount, place.node);
    const kept = open === undefined || place === undefined || place.stat.links > 1 || source?.stat.kind === 'directory';
    const { tree } = this;
    const work = kept ? () => tree.rename(from, to) : () => tree.transaction(() => this.#replace(open, parent, from, to));
    runSync(work());
  }

  *#replace(open: OpenNode, parent: Place, from: Path, to: Path): Io<void> {
    yield* this.#moveAside(open, parent, to);
    yield* this.tree.rename(from, to);
  }

  #setAside(open: OpenNode, parent: Place, path: Path): void {
    runSync(this.#moveAside(open, parent, path));
  }

  *#moveAside(open: OpenNode, parent: Place, path: Path): Io<void> {
    const aside = joinPath(pathOf(parent), encodeName(`${REMOVED}${++this.#removals}`));
    yield* this.tree.rename(path, aside);
    open.removed = aside;
  }

  /** The file system of an open file, for changing it. */
  writable({ mount }: OpenNode): WritableFileSystem {
    if (mount.readOnly || !isWritable(mount.fileSystem)) throw new Posix('EROFS');
    return mount.fileSystem;
  }

  /** Whether a name is one of those that wait: it is not shown. */
  isAside(name: Bytes): boolean {
    if (name.length < REMOVED.length) return false;
    for (let i = 0; i < REMOVED.length; i++) if (name[i] !== REMOVED.charCodeAt(i)) return false;
    return true;
  }
}

/** The state behind one handle of the libguestfs API: the drives, what is mounted, and what verbs keep between calls. */
import { decodeName, encodeName } from '../../bytes/text.ts';
import type { Codecs } from '../../codec/index.ts';
import { Posix, Unsupported } from '../../errors.ts';
import type { Timestamp } from '../../filesystem/filesystem.ts';
import type { HashFactory } from '../../guest/checksum.ts';
import { Disk } from '../../guest/disk.ts';
import { EditableTree } from '../../guest/edit.ts';
import { isWritable, type Mount } from '../../guest/mounts.ts';
import type { BlockDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { Slice } from '../../io/slice.ts';
import { isTransactional, type TransactionalDevice } from '../../io/transaction.ts';
import { OverlayDevice } from '../../overlay/overlay.ts';
import type { OpenTemporary } from '../../overlay/store.ts';
import { diskName, parseDeviceName, partitionName } from '../../partition/index.ts';
import { Scaffold } from './scaffold.ts';

/** What a handle needs of the world outside. */
export interface HandleHost {
  readonly codecs: Codecs;
  readonly hashes: HashFactory;
  /** Bytes that nobody can guess. */
  random(length: number): Uint8Array;
  now(): Timestamp;
  /** Temporary storage for what overlays do not keep in memory. */
  readonly temporary?: OpenTemporary;
  /** Tells of a problem that does not stop the work. */
  warn(message: string): void;
  /** Says how far a long verb is; may be called often. */
  progress?(position: number, total: number): Io<void>;
  /** The machine's name for its processor as uname(2) gives it, such as x86_64. */
  readonly machine?: string;
  /** Waits. Absent where the door cannot. */
  sleep?(milliseconds: number): Io<void>;
}

/** A disk image as a drive of the handle. */
export interface DriveOptions {
  readonly image: BlockDevice;
  /** Changes are forgotten in the end. */
  readonly readOnly: boolean;
  /** The label under which it was added. */
  readonly label?: string;
  /** Bytes of a sector; 512 unless told. */
  readonly blockSize?: number;
  /** Writes the changes back into the image, and empties the overlay; for drives that are not read-only. */
  readonly save?: (overlay: OverlayDevice) => Io<void>;
}

export interface Drive extends DriveOptions {
  /** Such as /dev/sda. */
  readonly name: string;
  readonly overlay: OverlayDevice;
}

/** Under this a room keeps its own state in a handle. */
export interface StateKey<T> {
  readonly name: string;
  readonly initial: () => T;
}

export class Handle {
  readonly host: HandleHost;
  readonly drives: readonly Drive[];
  /** The drives, with everything that was written: what is mounted of it can be changed. */
  readonly disk: Disk;
  #tree = new EditableTree();
  /** The permission bits that new files do not get. */
  umask = 0o022;
  readonly #options: { readonly clock: () => Timestamp; readonly codecs: Codecs };
  readonly #states = new Map<unknown, unknown>();
  /** Devices that were mounted read-only because they cannot be changed, with the disk that holds them. */
  readonly #views = new Map<string, Disk>();

  constructor(host: HandleHost, drives: readonly DriveOptions[]) {
    this.host = host;
    this.#options = { clock: () => host.now(), codecs: host.codecs };
    const overlay = host.temporary === undefined ? {} : { temporary: host.temporary };
    this.drives = drives.map((drive, i) => ({ ...drive, name: diskName(i), overlay: new OverlayDevice(drive.image, overlay) }));
    this.disk = new Disk(
      this.drives.map((drive) => drive.overlay),
      this.#options,
    );
  }

  /** The files of what is mounted. */
  get tree(): EditableTree {
    return this.#tree;
  }

  /** What is mounted from devices, in the order of mounting. */
  get mounts(): readonly Mount[] {
    return this.#tree.mounts.filter((mount) => mount.device !== '');
  }

  /** The state that a room keeps in this handle; made by `initial` when it is first asked for. */
  state<T>(key: StateKey<T>): T {
    if (!this.#states.has(key)) this.#states.set(key, key.initial());
    return this.#states.get(key) as T;
  }

  /** The drives as they are now, for looking only: what is mounted of this changes nothing. Nothing is remembered from one call to the next. */
  view(): Disk {
    return new Disk(
      this.drives.map((drive) => new Slice(drive.overlay, 0, drive.overlay.size)),
      this.#options,
    );
  }

  /** Throws EINVAL while nothing is mounted. */
  requireMount(): void {
    if (this.mounts.length === 0) throw new Posix('EINVAL', {}, "you must call 'mount' first to mount the root filesystem");
  }

  /**
   * The name under which this handle knows a device: /dev/sdX or /dev/sdXN for what /dev/hdX, /dev/vdX and labels name. Throws EINVAL for what
   * is no name of a device, ENOENT for one that is not there.
   */
  *resolveDevice(name: string): Io<string> {
    if (!name.startsWith('/dev/')) throw new Posix('EINVAL', {}, `${name}: expecting a device name`);
    const labelled = this.#labelled(name);
    const parsed = labelled ?? parseDeviceName(name.replace(/^\/dev\/disk\/guestfs\//, '/dev/'));
    if (parsed === undefined) throw new Posix('ENOENT', { path: name });
    const drive = diskName(parsed.index);
    const known = parsed.number === undefined ? drive : partitionName(drive, parsed.number);
    try {
      yield* this.disk.device(known);
    } catch (error) {
      if (error instanceof Posix) throw new Posix('ENOENT', { path: name });
      throw error;
    }
    return known;
  }

  #labelled(name: string): { index: number; number: number | undefined } | undefined {
    const match = /^\/dev\/disk\/guestfs\/([^/]+)$/.exec(name);
    if (match === null) return undefined;
    const wanted = match[1] ?? '';
    for (const [index, drive] of this.drives.entries()) {
      if (drive.label === undefined || drive.label === '' || !wanted.startsWith(drive.label)) continue;
      const rest = wanted.slice(drive.label.length);
      if (rest === '') return { index, number: undefined };
      if (/^[1-9][0-9]{0,3}$/.test(rest)) return { index, number: Number(rest) };
    }
    return undefined;
  }

  /** The drive that a device is, or lies on. */
  driveOf(device: string): Drive {
    const drive = this.drives[parseDeviceName(device)?.index ?? -1];
    if (drive === undefined) throw new Posix('ENOENT', { path: device });
    return drive;
  }

  /** The bytes of a device, for changing. After writing to them call {@link forget}. */
  *device(name: string): Io<TransactionalDevice> {
    const device = yield* this.disk.device(yield* this.resolveDevice(name));
    if (!isTransactional(device)) throw new Posix('EROFS', { path: name });
    return device;
  }

  /** Mounts a device at a directory. Read-only where it is asked for, and, with a warning, where the file system can only be read here. */
  *mount(device: string, at: string, options: { readonly readOnly?: boolean } = {}): Io<void> {
    const name = yield* this.resolveDevice(device);
    const readOnly = options.readOnly === true;
    const system = yield* this.#fileSystem(name, readOnly);
    if (this.mounts.length === 0 && this.#tree.mounts.length > 0 && /^\/+$/.test(at)) this.#tree = new EditableTree();
    yield* this.#tree.mount(system, /^\/+$/.test(at) ? '/' : at, { device: name, readOnly });
    for (const warning of system.warnings) this.host.warn(`${name}: ${warning.message}`);
  }

  *#fileSystem(name: string, readOnly: boolean) {
    const mounted = this.mounts.find((mount) => mount.device === name);
    if (mounted !== undefined) return mounted.fileSystem;
    // What a dirty journal holds is replayed for good only by those who mount for writing.
    if (!readOnly) {
      try {
        return yield* this.disk.mount(name);
      } catch (error) {
        if (!(error instanceof Unsupported)) throw error;
        const system = yield* this.#read(name);
        this.host.warn(`${name} is mounted read-only: ${error.message}`);
        return system;
      }
    }
    return yield* this.#read(name);
  }

  *#read(name: string) {
    const view = this.view();
    const system = yield* view.mount(name);
    this.#views.set(name, view);
    return system;
  }

  /**
   * Unmounts what is mounted at a directory, or, for the name of a device, from it (the last of several). Throws EINVAL where nothing is,
   * EBUSY when something else is mounted within.
   */
  *unmount(pathOrDevice: string): Io<void> {
    const mount = yield* this.#mountFor(pathOrDevice);
    yield* this.#tree.flush();
    this.#tree.table.remove(mount);
    this.#leave(mount);
  }

  *#mountFor(pathOrDevice: string): Io<Mount> {
    const mounts = [...this.mounts].reverse();
    if (pathOrDevice.startsWith('/dev/') && (yield* this.#isDevice(pathOrDevice))) {
      const device = yield* this.resolveDevice(pathOrDevice);
      const found = mounts.find((mount) => mount.device === device);
      if (found !== undefined) return found;
    } else if (this.#tree.mounts.length > 0) {
      const path = decodeName(yield* this.#tree.realpath(encodeName(pathOrDevice)));
      const found = mounts.find((mount) => decodeName(mount.at) === path);
      if (found !== undefined) return found;
    }
    throw new Posix('EINVAL', {}, `${pathOrDevice}: not mounted`);
  }

  *#isDevice(name: string): Io<boolean> {
    try {
      yield* this.resolveDevice(name);
      return true;
    } catch (error) {
      if (error instanceof Posix) return false;
      throw error;
    }
  }

  /** Unmounts everything. */
  *unmountAll(): Io<void> {
    yield* this.#tree.flush();
    const mounts = this.mounts;
    this.#tree = new EditableTree();
    for (const mount of mounts) this.#leave(mount);
  }

  /** Makes a directory for mounting; before anything is mounted it stands in a root of its own, which goes when something is mounted at /. */
  *makeMountPoint(path: string): Io<void> {
    if (this.#tree.mounts.length === 0) yield* this.#tree.mount(new Scaffold(this.host.now()), '/');
    const { place, parent, name } = yield* this.#tree.lookup(path, { keepLast: true });
    if (place !== undefined || name === undefined) throw new Posix('EEXIST', { path });
    const { fileSystem } = parent.mount;
    if (fileSystem instanceof Scaffold) fileSystem.make(parent.node, name);
    else yield* this.#tree.mkdir(path, { mode: 0o777 & ~this.umask });
  }

  /** Throws ENOENT, ENOTEMPTY, EBUSY. */
  *removeMountPoint(path: string): Io<void> {
    if (this.#tree.mounts.length === 0) throw new Posix('ENOENT', { path });
    const { place, parent, name } = yield* this.#tree.lookup(path, { keepLast: true });
    if (name === undefined) throw new Posix('EBUSY', { path });
    if (place === undefined) throw new Posix('ENOENT', { path });
    if (this.#tree.table.isMountPoint(place)) throw new Posix('EBUSY', { path });
    const { fileSystem } = parent.mount;
    if (fileSystem instanceof Scaffold) fileSystem.remove(parent.node, name);
    else yield* this.#tree.rmdir(path);
  }

  /** Lets what is mounted at a directory be changed, or not. Throws EINVAL where nothing is mounted, EROFS for what can only be read. */
  *remount(path: string, options: { readonly readOnly: boolean }): Io<void> {
    const at = decodeName(yield* this.#tree.realpath(path));
    const mount = [...this.mounts].reverse().find((one) => decodeName(one.at) === at);
    if (mount === undefined) throw new Posix('EINVAL', { path }, 'nothing is mounted here');
    if (options.readOnly) {
      yield* this.#tree.flush();
      this.#tree.table.change(mount, { readOnly: true });
      return;
    }
    if (!mount.readOnly) return;
    const writable = this.mounts.find((one) => one.device === mount.device && isWritable(one.fileSystem))?.fileSystem;
    const fileSystem = writable ?? (yield* this.disk.mount(mount.device));
    if (!isWritable(fileSystem)) throw new Posix('EROFS', { path });
    this.#tree.table.change(mount, { readOnly: false, fileSystem });
  }

  /** Drops what is remembered of a device that is no longer mounted: it may be written to directly from now on. */
  #leave(mount: Mount): void {
    if (this.mounts.some((other) => other.device === mount.device)) return;
    this.#views.delete(mount.device);
    this.disk.forget(mount.device);
  }

  /** A device was written to directly, or its partition table changed: what is remembered of it, and of its partitions, goes. */
  forget(device: string): void {
    this.disk.forget(
      device,
      this.mounts.map((mount) => mount.device),
    );
  }

  /** Writes out everything: into the overlays, and from there into the images of drives that are not read-only. */
  *save(): Io<void> {
    yield* this.#tree.flush();
    for (const drive of this.drives) if (!drive.readOnly && drive.save !== undefined) yield* drive.save(drive.overlay);
  }

  /** Gives up what was not saved. */
  close(): void {
    for (const drive of this.drives) drive.overlay.close();
  }

  *progress(position: number, total: number): Io<void> {
    if (this.host.progress !== undefined) yield* this.host.progress(position, total);
  }
}

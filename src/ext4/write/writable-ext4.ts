/** ext2, ext3 and ext4 as a file system that can be changed. Every verb is a transaction of the device and of what is in memory. */
import type { Bytes } from '../../bytes/struct.ts';
import { encodeName } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import type {
  Attributes,
  Creation,
  NewFile,
  NodeId,
  Timestamp,
  TransactionOptions,
  WritableFileSystem,
} from '../../filesystem/filesystem.ts';
import type { Io } from '../../io/effect.ts';
import { type TransactionalDevice, Transactions } from '../../io/transaction.ts';
import { Ext4 } from '../ext4.ts';
import { EXT4_APPEND_FL, EXT4_ENCRYPT_FL, EXT4_IMMUTABLE_FL, EXT4_VERITY_FL } from '../format/index.ts';
import type { Inode } from '../inode.ts';
import { peekNode, readNode } from '../inode-table.ts';
import { changeModeWithAcl, inheritDefaultAcl, removeXattrByName, setXattrByName } from './acl-write.ts';
import { punchData, truncateData, writeData } from './file-write.ts';
import type { InodeEdit } from './inode-edit.ts';
import { createDirectory, createFile, createFilled, createSpecial, createSymlink } from './node-create.ts';
import { createFilledNow } from './node-create-now.ts';
import { checkChangeable, linkNode, removeDirectory, renameNode, unlinkNode } from './node-rename.ts';
import { openWritableVolume } from './open-writable.ts';
import type { WritableVolume } from './writable-volume.ts';
import { hasAttribute, removeAttribute, splitXattrName } from './xattr-write.ts';

export interface WritableExt4Options {
  /** The time that changes are stamped with; default the clock of the machine. */
  readonly now?: () => Timestamp;
  /** Random numbers of 32 bits for the generation of new inodes. */
  readonly random?: () => number;
  /** Bytes of metadata to keep in memory; default 16 MiB. */
  readonly cacheBudget?: number;
}

const LABEL_LENGTH = 16;
const CAPABILITY = splitXattrName(encodeName('security.capability'));

/** File capabilities do not outlive a change of contents or owner (cap_inode_killpriv in security/commoncap.c). */
function* dropCapabilities(volume: WritableVolume, edit: InodeEdit): Io<void> {
  if (yield* hasAttribute(volume, edit, CAPABILITY)) yield* removeAttribute(volume, edit, CAPABILITY);
}

function checkParent(inode: Inode): void {
  if (inode.kind !== 'directory') throw new Posix('ENOTDIR', { layer: 'ext4', inode: inode.number });
  if ((inode.flags & EXT4_IMMUTABLE_FL) !== 0) throw new Posix('EPERM', { layer: 'ext4', inode: inode.number });
}

function systemClock(): Timestamp {
  const milliseconds = Date.now();
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanoseconds: (milliseconds - seconds * 1000) * 1_000_000 };
}

/**
 * Mounts the ext2, ext3 or ext4 file system on a device for reading and writing. What a mount by Linux would do first is done first: the
 * journal is replayed and orphans are finished, on the device. Throws Corrupt; Unsupported for features that cannot be kept true, by
 * name; Refused for a file system that needs e2fsck or is in use.
 */
export function* mountWritableExt4(device: TransactionalDevice, options: WritableExt4Options = {}): Io<WritableExt4> {
  const volume = yield* openWritableVolume(device, {
    now: options.now ?? systemClock,
    random: options.random ?? (() => Math.floor(Math.random() * 0x1_0000_0000)),
    ...(options.cacheBudget === undefined ? {} : { cacheBudget: options.cacheBudget }),
  });
  return new WritableExt4(volume);
}

export class WritableExt4 extends Ext4 implements WritableFileSystem {
  declare readonly volume: WritableVolume;
  declare label: Bytes;
  readonly #transactions: Transactions;

  constructor(volume: WritableVolume) {
    super(volume);
    this.#transactions = new Transactions(volume.device, () => {
      const saved = volume.save();
      const { label } = this;
      return {
        restore: () => {
          saved.restore();
          this.label = label;
        },
        release: saved.release,
      };
    });
  }

  transaction<T>(body: () => Io<T>, options: TransactionOptions = {}): Io<T> {
    const { volume } = this;
    const all = function* (): Io<T> {
      let result: T;
      volume.openTransactions++;
      try {
        result = yield* body();
      } finally {
        volume.openTransactions--;
      }
      yield* volume.flush();
      return result;
    };
    const before = (): Io<void> => volume.flush();
    return options.whole === true ? this.#transactions.runWhole(all, before) : this.#transactions.run(all, before);
  }

  /** One verb: its changes in memory are written out before its transaction ends, or before that of the user around it does. */
  #change<T>(body: () => Io<T>): Io<T> {
    return this.#transactions.run(body, this.#relieve, this.#settle);
  }

  readonly #relieve = (): Io<void> | undefined => this.volume.relieve();
  readonly #settle = (): Io<void> | undefined => (this.volume.openTransactions === 0 ? this.volume.flush() : undefined);

  create(directory: NodeId, name: Bytes, creation: Creation): Io<NodeId> {
    return this.#make(directory, (parent) => createFile(this.volume, parent, name, creation));
  }

  createFilled(directory: NodeId, name: Bytes, file: NewFile): Io<NodeId | undefined> {
    return this.#change(() => this.#createFilled(directory, name, file));
  }

  *#createFilled(directory: NodeId, name: Bytes, file: NewFile): Io<NodeId | undefined> {
    const parent = this.#knownParent(directory) ?? (yield* this.#parent(directory));
    return (yield* createFilled(this.volume, parent, name, file))?.number;
  }

  createFilledNow(directory: NodeId, name: Bytes, file: NewFile): NodeId | undefined {
    return this.#transactions.runNow(() => {
      const parent = this.#knownParent(directory);
      return parent === undefined ? undefined : createFilledNow(this.volume, parent, name, file);
    }, this.#relieve);
  }

  mkdir(directory: NodeId, name: Bytes, creation: Creation): Io<NodeId> {
    return this.#make(directory, (parent) => createDirectory(this.volume, parent, name, creation));
  }

  symlink(directory: NodeId, name: Bytes, target: Bytes, creation: Omit<Creation, 'mode'> = {}): Io<NodeId> {
    return this.#make(directory, (parent) => createSymlink(this.volume, parent, name, target, creation));
  }

  mknod(
    directory: NodeId,
    name: Bytes,
    kind: 'character' | 'block' | 'fifo' | 'socket',
    creation: Creation,
    device: { readonly major: number; readonly minor: number } = { major: 0, minor: 0 },
  ): Io<NodeId> {
    return this.#make(directory, (parent) => createSpecial(this.volume, parent, name, kind, creation, device));
  }

  #make(directory: NodeId, make: (parent: InodeEdit) => Io<InodeEdit>): Io<NodeId> {
    const { volume } = this;
    const parentOf = (): Io<InodeEdit> => this.#parent(directory);
    return this.#change(function* () {
      const parent = yield* parentOf();
      const edit = yield* make(parent);
      yield* inheritDefaultAcl(volume, parent, edit);
      return edit.number;
    });
  }

  *link(node: NodeId, directory: NodeId, name: Bytes): Io<void> {
    const { volume } = this;
    const parentOf = (): Io<InodeEdit> => this.#parent(directory);
    yield* this.#change(function* () {
      yield* readNode(volume, node);
      yield* linkNode(volume, yield* volume.edit(node), yield* parentOf(), name);
    });
  }

  *unlink(directory: NodeId, name: Bytes): Io<void> {
    const { volume } = this;
    const parentOf = (): Io<InodeEdit> => this.#parent(directory);
    yield* this.#change(function* () {
      yield* unlinkNode(volume, yield* parentOf(), name);
    });
  }

  *rmdir(directory: NodeId, name: Bytes): Io<void> {
    const { volume } = this;
    const parentOf = (): Io<InodeEdit> => this.#parent(directory);
    yield* this.#change(function* () {
      yield* removeDirectory(volume, yield* parentOf(), name);
    });
  }

  *rename(directory: NodeId, name: Bytes, newDirectory: NodeId, newName: Bytes): Io<void> {
    const { volume } = this;
    const parentOf = (one: NodeId): Io<InodeEdit> => this.#parent(one);
    yield* this.#change(function* () {
      const from = yield* parentOf(directory);
      const to = directory === newDirectory ? from : yield* parentOf(newDirectory);
      yield* renameNode(volume, from, name, to, newName);
    });
  }

  *write(node: NodeId, offset: number, bytes: Bytes): Io<void> {
    if (!(Number.isSafeInteger(offset) && offset >= 0)) throw new Posix('EINVAL', { layer: 'ext4', inode: node });
    // write(2) of nothing changes nothing, times and capabilities neither.
    if (bytes.length === 0) {
      yield* readNode(this.volume, node);
      return;
    }
    yield* this.#changeFile(node, (edit) => writeData(this.volume, edit, offset, bytes), offset);
  }

  *truncate(node: NodeId, size: number): Io<void> {
    if (!(Number.isSafeInteger(size) && size >= 0)) throw new Posix('EINVAL', { layer: 'ext4', inode: node });
    yield* this.#changeFile(node, (edit) => truncateData(this.volume, edit, size));
  }

  *punch(node: NodeId, offset: number, length: number): Io<void> {
    if (!(offset >= 0 && length >= 0)) throw new Posix('EINVAL', { layer: 'ext4', inode: node });
    yield* this.#changeFile(node, (edit) => punchData(this.volume, edit, offset, length));
  }

  /** Changes the contents of a regular file and stamps it; a file for appending takes only what is written from its end, `start`, on. */
  #changeFile(node: NodeId, change: (edit: InodeEdit) => Io<void>, start?: number): Io<void> {
    const { volume } = this;
    return this.#change(function* () {
      const inode = yield* readNode(volume, node);
      if (inode.kind === 'directory') throw new Posix('EISDIR', { layer: 'ext4', inode: node });
      if (inode.kind !== 'file') throw new Posix('EINVAL', { layer: 'ext4', inode: node });
      if ((inode.flags & EXT4_ENCRYPT_FL) !== 0) throw new Posix('ENOKEY', { layer: 'ext4', inode: node });
      if ((inode.flags & EXT4_VERITY_FL) !== 0)
        throw new Posix('EPERM', { layer: 'ext4', inode: node }, 'a file with fs-verity cannot be changed');
      const edit = yield* volume.edit(node);
      const appends = (edit.inode.flags & (EXT4_APPEND_FL | EXT4_IMMUTABLE_FL)) === EXT4_APPEND_FL && start === inode.size;
      if (!appends) checkChangeable(edit);
      yield* dropCapabilities(volume, edit);
      yield* change(edit);
      const now = volume.now();
      edit.setTimes({ mtime: now, ctime: now });
    });
  }

  *setAttributes(node: NodeId, attributes: Attributes): Io<void> {
    const { volume } = this;
    const { mode, uid, gid, atime, mtime } = attributes;
    yield* this.#changeNode(node, function* (edit) {
      if (mode !== undefined && (mode & 0o7777) !== (edit.inode.mode & 0o7777)) yield* changeModeWithAcl(volume, edit, mode & 0o7777);
      if (uid !== undefined || gid !== undefined) {
        if (edit.inode.kind !== 'directory') yield* dropCapabilities(volume, edit);
        edit.setOwner(uid, gid);
      }
      edit.setTimes({ ...(atime === undefined ? {} : { atime }), ...(mtime === undefined ? {} : { mtime }) });
    });
  }

  *setXattr(node: NodeId, name: Bytes, value: Bytes): Io<void> {
    yield* this.#changeNode(node, (edit) => setXattrByName(this.volume, edit, name, value));
  }

  *removeXattr(node: NodeId, name: Bytes): Io<void> {
    yield* this.#changeNode(node, (edit) => removeXattrByName(this.volume, edit, name));
  }

  /** Changes what the inode says of a node, and stamps the change. */
  #changeNode(node: NodeId, change: (edit: InodeEdit) => Io<void>): Io<void> {
    const { volume } = this;
    return this.#change(function* () {
      yield* readNode(volume, node);
      const edit = yield* volume.edit(node);
      checkChangeable(edit);
      yield* change(edit);
      edit.setTimes({ ctime: volume.now() });
    });
  }

  *setLabel(label: Bytes): Io<void> {
    if (label.length > LABEL_LENGTH || label.includes(0))
      throw new Posix('EINVAL', { layer: 'ext4' }, `a label has at most ${LABEL_LENGTH} bytes`);
    const padded = new Uint8Array(LABEL_LENGTH);
    padded.set(label);
    const { volume } = this;
    // biome-ignore lint/correctness/useYield: the superblock is in memory
    yield* this.#change(function* () {
      volume.changeSuperblock({ s_volume_name: padded });
    });
    this.label = label.slice();
  }

  *sync(): Io<void> {
    yield* this.volume.device.flush();
  }

  /** A directory in which names are changed. */
  *#parent(node: NodeId): Io<InodeEdit> {
    checkParent(yield* readNode(this.volume, node));
    return yield* this.volume.edit(node);
  }

  /** The same where it is in memory. */
  #knownParent(node: NodeId): InodeEdit | undefined {
    const inode = peekNode(this.volume, node);
    if (inode === undefined) return undefined;
    checkParent(inode);
    return this.volume.knownEdit(node);
  }
}

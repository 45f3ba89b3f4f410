/** Changes of a file system as plain data: what a random test generates, prints, repeats, and performs on several file systems. */
import { type Bytes, decodeName, encodeName } from '../bytes/index.ts';
import { GuestlessError, Posix } from '../errors.ts';
import type { Attributes, NodeId, WritableFileSystem } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';

/** An absolute path as text; symbolic links are not followed. Bytes that are no UTF-8 stand as U+DC80..U+DCFF (see `encodeName`). */
export type OperationPath = string;

/** Bytes that are worth testing with and short to print: see {@link patternBytes}. */
export interface Pattern {
  readonly seed: number;
  /** Bytes. */
  readonly length: number;
}

interface OperationOwner {
  readonly uid?: number;
  readonly gid?: number;
}

export type Operation =
  | ({ readonly verb: 'create' | 'mkdir'; readonly path: OperationPath; readonly mode: number } & OperationOwner)
  | ({ readonly verb: 'symlink'; readonly path: OperationPath; readonly target: string } & OperationOwner)
  | ({
      readonly verb: 'mknod';
      readonly path: OperationPath;
      readonly kind: 'character' | 'block' | 'fifo' | 'socket';
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
    } & OperationOwner)
  | { readonly verb: 'link' | 'rename'; readonly path: OperationPath; readonly newPath: OperationPath }
  | { readonly verb: 'unlink' | 'rmdir'; readonly path: OperationPath }
  | { readonly verb: 'write'; readonly path: OperationPath; readonly offset: number; readonly bytes: Pattern }
  | { readonly verb: 'append'; readonly path: OperationPath; readonly bytes: Pattern }
  | { readonly verb: 'truncate'; readonly path: OperationPath; readonly size: number }
  | { readonly verb: 'punch'; readonly path: OperationPath; readonly offset: number; readonly length: number }
  | { readonly verb: 'setAttributes'; readonly path: OperationPath; readonly attributes: Attributes }
  /** The value is a pattern, or an access control list. */
  | { readonly verb: 'setXattr'; readonly path: OperationPath; readonly name: string; readonly value: Pattern | AclPattern }
  | { readonly verb: 'removeXattr'; readonly path: OperationPath; readonly name: string };

/** A POSIX access control list with one named user and one named group; permissions are 0 to 7. */
export interface AclPattern {
  readonly owner: number;
  readonly group: number;
  readonly mask: number;
  readonly other: number;
  readonly user: { readonly id: number; readonly permissions: number };
}

/** The bytes of a pattern: no two neighbouring blocks are alike, none is zero throughout. */
export function patternBytes({ seed, length }: Pattern): Bytes {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761 + 12345) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** An access control list in the form of setxattr(2), version 2. */
export function aclBytes(acl: AclPattern): Bytes {
  const entries = [
    [0x01, acl.owner, 0xffffffff],
    [0x02, acl.user.permissions, acl.user.id],
    [0x04, acl.group, 0xffffffff],
    [0x10, acl.mask, 0xffffffff],
    [0x20, acl.other, 0xffffffff],
  ] as const;
  const bytes = new Uint8Array(4 + 8 * entries.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 2, true);
  entries.forEach(([tag, permissions, id], i) => {
    view.setUint16(4 + 8 * i, tag, true);
    view.setUint16(6 + 8 * i, permissions, true);
    view.setUint32(8 + 8 * i, id, true);
  });
  return bytes;
}

/** The bytes that a `setXattr` sets. */
export function xattrValue(value: Pattern | AclPattern): Bytes {
  return 'seed' in value ? patternBytes(value) : aclBytes(value);
}

/** The node of a path. Throws Posix ENOENT and ENOTDIR. */
export function* nodeOfPath(fileSystem: WritableFileSystem, path: OperationPath): Io<NodeId> {
  let node = fileSystem.root;
  for (const part of path.split('/').filter((each) => each !== '')) {
    if ((yield* fileSystem.stat(node)).kind !== 'directory') throw new Posix('ENOTDIR', { path });
    const next = yield* fileSystem.lookup(node, encodeName(part));
    if (next === undefined) throw new Posix('ENOENT', { path });
    node = next;
  }
  return node;
}

/** The directory of a path, and the last name. */
function* parentOfPath(fileSystem: WritableFileSystem, path: OperationPath): Io<[NodeId, Bytes]> {
  const slash = path.lastIndexOf('/');
  return [yield* nodeOfPath(fileSystem, path.slice(0, slash)), encodeName(path.slice(slash + 1))];
}

/** Performs an operation. Throws what the file system throws, and Posix for paths that are not there. */
export function* performOperation(fileSystem: WritableFileSystem, operation: Operation): Io<void> {
  switch (operation.verb) {
    case 'create':
    case 'mkdir':
      yield* fileSystem[operation.verb](...(yield* parentOfPath(fileSystem, operation.path)), creationOf(operation));
      return;
    case 'symlink': {
      const [directory, name] = yield* parentOfPath(fileSystem, operation.path);
      yield* fileSystem.symlink(directory, name, encodeName(operation.target), ownerOf(operation));
      return;
    }
    case 'mknod': {
      const [directory, name] = yield* parentOfPath(fileSystem, operation.path);
      const { kind, major, minor } = operation;
      const numbered = kind === 'character' || kind === 'block';
      yield* fileSystem.mknod(directory, name, kind, creationOf(operation), ...(numbered ? [{ major, minor }] : []));
      return;
    }
    case 'link': {
      const node = yield* nodeOfPath(fileSystem, operation.path);
      return yield* fileSystem.link(node, ...(yield* parentOfPath(fileSystem, operation.newPath)));
    }
    case 'rename': {
      const from = yield* parentOfPath(fileSystem, operation.path);
      return yield* fileSystem.rename(...from, ...(yield* parentOfPath(fileSystem, operation.newPath)));
    }
    case 'unlink':
    case 'rmdir':
      return yield* fileSystem[operation.verb](...(yield* parentOfPath(fileSystem, operation.path)));
    default:
      return yield* performOnNode(fileSystem, yield* nodeOfPath(fileSystem, operation.path), operation);
  }
}

type NodeOperation = Extract<
  Operation,
  { readonly verb: 'write' | 'append' | 'truncate' | 'punch' | 'setAttributes' | 'setXattr' | 'removeXattr' }
>;

function* performOnNode(fileSystem: WritableFileSystem, node: NodeId, operation: NodeOperation): Io<void> {
  switch (operation.verb) {
    case 'write':
      return yield* fileSystem.write(node, operation.offset, patternBytes(operation.bytes));
    case 'append':
      return yield* fileSystem.write(node, (yield* fileSystem.stat(node)).size, patternBytes(operation.bytes));
    case 'truncate':
      return yield* fileSystem.truncate(node, operation.size);
    case 'punch':
      return yield* fileSystem.punch(node, operation.offset, operation.length);
    case 'setAttributes':
      return yield* fileSystem.setAttributes(node, operation.attributes);
    case 'setXattr':
      return yield* fileSystem.setXattr(node, encodeName(operation.name), xattrValue(operation.value));
    case 'removeXattr':
      return yield* fileSystem.removeXattr(node, encodeName(operation.name));
  }
}

function ownerOf({ uid, gid }: OperationOwner): OperationOwner {
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
}

function creationOf(operation: OperationOwner & { readonly mode: number }): OperationOwner & { readonly mode: number } {
  return { mode: operation.mode, ...ownerOf(operation) };
}

/** Performs an operation and says how it ended: `done`, or the code of the error (`ENOENT`, `CORRUPT`, ...). Other errors are thrown. */
export function* outcomeOf(fileSystem: WritableFileSystem, operation: Operation): Io<string> {
  try {
    yield* performOperation(fileSystem, operation);
    return 'done';
  } catch (error) {
    if (error instanceof GuestlessError) return error.code;
    throw error;
  }
}

/** All paths of a file system with their kinds, the root first; for choosing among them. */
export function* pathsOf(
  fileSystem: WritableFileSystem,
): Io<{ readonly path: OperationPath; readonly kind: string; readonly node: NodeId }[]> {
  const found: { path: string; kind: string; node: NodeId }[] = [{ path: '', kind: 'directory', node: fileSystem.root }];
  for (let i = 0; i < found.length; i++) {
    const { path, kind, node } = found[i]!;
    if (kind !== 'directory') continue;
    for (let part = yield* fileSystem.readDirectory(node); ; part = yield* fileSystem.readDirectory(node, part.next)) {
      for (const entry of part.entries) {
        const kindOf = entry.kind ?? (yield* fileSystem.stat(entry.node)).kind;
        found.push({ path: `${path}/${decodeName(entry.name)}`, kind: kindOf, node: entry.node });
      }
      if (part.next === undefined) break;
    }
  }
  return found;
}

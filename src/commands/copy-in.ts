/** `tar-in` and `copy-in`: files of the host into the guest. */
import { encodeName } from '../bytes/text.ts';
import { Posix } from '../errors.ts';
import type { EditableTree, Pull } from '../guest/edit.ts';
import { unpackTar } from '../guest/tar-in.ts';
import type { Io } from '../io/effect.ts';
import { Pieces } from '../io/pieces.ts';
import type { ByteSource } from '../io/source.ts';
import { ownerOf } from './change-owners.ts';
import type { Run } from './declaration.ts';
import { editImage } from './edit.ts';
import type { Host } from './host.ts';

const CHUNK = 1 << 20;
/** Levels of folders of the host that are entered. */
const DEPTH = 512;

export const tarIn: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, function* (tree) {
    const file = invocation.argument('FILE');
    const pull = file === '-' ? () => host.readInput() : pieces(yield* host.openFile(file), host);
    yield* unpackTar(tree, invocation.argument('PATH'), pull, { xattrs: !invocation.has('--no-xattrs') });
  });

export const copyIn: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, function* (tree) {
    const folder = invocation.argument('DIR');
    yield* tree.directory(folder);
    const owner = invocation.value('--owner');
    const given = owner === undefined ? undefined : yield* ownerOf(tree, owner);
    for (const file of invocation.arguments('FILE')) yield* copyHostFile(tree, host, file, folder, given);
  });

/** Copies a file or folder of the host, with all that is in it, into a directory of the guest, under its own name. */
export function* copyHostFile(tree: EditableTree, host: Host, file: string, directory: string, given?: Owner): Io<void> {
  const name = file.split('/').findLast((part) => part !== '' && part !== '.');
  if (name === undefined || name === '..') throw new Posix('EINVAL', { image: file }, 'this name cannot be kept in the guest');
  yield* copyOne(tree, host, file, `${directory.replace(/\/+$/, '')}/${name}`, given, 0);
}

/** The bytes of a source, piece by piece, each in the place of the one before. */
function pieces(source: ByteSource, host: Host): Pull {
  const pieces = new Pieces(source, CHUNK);
  return function* () {
    yield* host.pause();
    return yield* pieces.next();
  };
}

interface Owner {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** Copies a file, a symbolic link (as a link) or a folder with all that is in it. */
function* copyOne(tree: EditableTree, host: Host, from: string, to: string, given: Owner | undefined, depth: number): Io<void> {
  if (depth > DEPTH) throw new Posix('ENAMETOOLONG', { image: from }, `more than ${DEPTH} levels of folders`);
  const stat = yield* host.stat(from);
  const uid = given?.uid ?? stat.uid;
  const gid = given?.gid ?? stat.gid;
  const { place: there } = yield* tree.lookup(to, { followLast: false });
  if (stat.kind === 'directory') {
    if (there === undefined) yield* tree.mkdir(to, { mode: stat.mode });
    else if (there.stat.kind !== 'directory') throw new Posix('ENOTDIR', { path: to });
    for (const name of yield* host.names(from)) yield* copyOne(tree, host, `${from}/${name}`, `${to}/${name}`, given, depth + 1);
  } else if (there !== undefined) {
    if (there.stat.kind === 'directory') throw new Posix('EISDIR', { path: to });
    yield* tree.unlink(to);
  }
  if (stat.kind === 'symlink') yield* tree.symlink(encodeName(stat.target ?? ''), to, { uid, gid });
  else if (stat.kind === 'file') {
    const source = yield* host.openFile(from);
    yield* tree.writeFrom(to, { mode: stat.mode }, pieces(source, host));
    source.close?.();
  } else if (stat.kind === 'other') {
    host.warn(`${from} is neither file, folder nor link; left out`);
    return;
  }
  if (stat.kind !== 'symlink') {
    yield* tree.chown(to, uid, gid);
    yield* tree.chmod(to, stat.mode);
  }
  yield* tree.utimes(to, undefined, stat.mtime, { followLast: false });
}

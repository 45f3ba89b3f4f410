/** `tar-in` and `copy-in`: files of the host into the guest. */
import { encodeName } from '../bytes/text.ts';
import { decodedIfPacked } from '../codec/decoded.ts';
import { Posix } from '../errors.ts';
import type { EditableTree } from '../guest/edit.ts';
import { unpackTar } from '../guest/tar-in.ts';
import type { Io } from '../io/effect.ts';
import type { Pull } from '../io/pieces.ts';
import { Pieces } from '../io/pieces.ts';
import type { ByteSource } from '../io/source.ts';
import { ownerOf } from './change-owners.ts';
import type { Run } from './declaration.ts';
import { editImage } from './edit.ts';
import type { Host, HostStat } from './host.ts';

const CHUNK = 1 << 20;
/** Levels of folders of the host that are entered. */
const DEPTH = 512;

export const tarIn: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, function* (tree) {
    const file = invocation.argument('FILE');
    const pull = file === '-' ? () => host.readInput() : pieces(yield* host.openFile(file), host);
    yield* tree.directory(invocation.argument('PATH'));
    const archive = yield* decodedIfPacked(pull, host.codecs);
    yield* unpackTar(tree, invocation.argument('PATH'), archive, { xattrs: !invocation.has('--no-xattrs') });
  });

export const copyIn: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, function* (tree) {
    const folder = invocation.argument('DIR');
    yield* tree.directory(folder);
    const owner = invocation.value('--owner');
    const given = owner === undefined ? undefined : yield* ownerOf(tree, owner);
    const names: FirstNames = new Map();
    for (const file of invocation.arguments('FILE')) yield* copyHostFile(tree, host, file, folder, names, given);
  });

/** Where in the guest the first name of each file of the host went that has several. */
export type FirstNames = Map<string, string>;

/**
 * Copies a file or folder of the host, with all that is in it, into a directory of the guest, under its own name. Further names of a file that is among
 * `names` become links.
 */
export function* copyHostFile(tree: EditableTree, host: Host, file: string, directory: string, names: FirstNames, given?: Owner): Io<void> {
  const name = file.split('/').findLast((part) => part !== '' && part !== '.');
  if (name === undefined || name === '..') throw new Posix('EINVAL', { image: file }, 'this name cannot be kept in the guest');
  yield* new Copying(tree, host, names, given).copy(file, `${directory.replace(/\/+$/, '')}/${name}`, 0);
}

/** The bytes of a source, piece by piece, each in the place of the one before. */
function pieces(source: ByteSource, host: Host): Pull {
  const pieces = new Pieces(source, CHUNK);
  return function* () {
    yield* host.pause();
    return yield* pieces.next();
  };
}

/** Why a further name of a file becomes a copy: no such links there, too many, another file system, the first is gone. */
const NO_LINK: ReadonlySet<string> = new Set(['EPERM', 'EMLINK', 'EXDEV', 'ENOENT', 'ENOTSUP']);

interface Owner {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

class Copying {
  readonly #tree: EditableTree;
  readonly #host: Host;
  readonly #names: FirstNames;
  readonly #given: Owner | undefined;

  constructor(tree: EditableTree, host: Host, names: FirstNames, given: Owner | undefined) {
    this.#tree = tree;
    this.#host = host;
    this.#names = names;
    this.#given = given;
  }

  /** Copies a file of any kind (a symbolic link as a link), or a folder with all that is in it. */
  *copy(from: string, to: string, depth: number): Io<void> {
    if (depth > DEPTH) throw new Posix('ENAMETOOLONG', { image: from }, `more than ${DEPTH} levels of folders`);
    const stat = yield* this.#host.stat(from);
    if (stat.kind === 'socket') {
      this.#host.warn(`${from} is a socket; left out`);
      return;
    }
    const { place: there } = yield* this.#tree.lookup(to, { followLast: false });
    if (stat.kind === 'directory') {
      if (there === undefined) yield* this.#tree.mkdir(to, { mode: stat.mode });
      else if (there.stat.kind !== 'directory') throw new Posix('ENOTDIR', { path: to });
      for (const name of yield* this.#host.names(from)) yield* this.copy(`${from}/${name}`, `${to}/${name}`, depth + 1);
    } else {
      if (there?.stat.kind === 'directory') throw new Posix('EISDIR', { path: to });
      if (there !== undefined) yield* this.#tree.unlink(to);
      if (yield* this.#link(stat, to)) return;
      yield* this.#make(from, to, stat);
    }
    yield* this.#attributes(to, stat);
  }

  /** Gives a file that was copied before another name, where the file system of the guest has hard links and the first name is still there. */
  *#link({ identity }: HostStat, to: string): Io<boolean> {
    if (identity === undefined) return false;
    const first = this.#names.get(identity);
    if (first === undefined || first === to) {
      this.#names.set(identity, to);
      return false;
    }
    try {
      yield* this.#tree.link(first, to);
      return true;
    } catch (error) {
      if (error instanceof Posix && NO_LINK.has(error.code)) return false;
      throw error;
    }
  }

  *#make(from: string, to: string, stat: HostStat): Io<void> {
    if (stat.kind === 'symlink') yield* this.#tree.symlink(encodeName(stat.target ?? ''), to);
    else if (stat.kind === 'file') {
      const source = yield* this.#host.openFile(from);
      yield* this.#tree.writeFrom(to, { mode: stat.mode }, pieces(source, this.#host));
      source.close?.();
    } else if (stat.kind === 'fifo') yield* this.#tree.mknod(to, 'fifo', { mode: stat.mode });
    else if (stat.kind === 'character' || stat.kind === 'block')
      yield* this.#tree.mknod(to, stat.kind, { mode: stat.mode, ...(stat.device === undefined ? {} : { device: stat.device }) });
  }

  *#attributes(to: string, stat: HostStat): Io<void> {
    yield* this.#tree.chown(to, this.#given?.uid ?? stat.uid, this.#given?.gid ?? stat.gid, { followLast: false });
    if (stat.kind !== 'symlink') yield* this.#tree.chmod(to, stat.mode);
    yield* this.#tree.utimes(to, undefined, stat.mtime, { followLast: false });
  }
}

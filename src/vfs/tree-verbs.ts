/** nova's verbs over the tree of a guest, with the behaviour of its libguestfs backend; deviations stand in docs/vfs.md. */
import type { Bytes } from '../bytes/struct.ts';
import { decodeName, encodeName } from '../bytes/text.ts';
import { Posix } from '../errors.ts';
import type { EditableTree } from '../guest/edit.ts';
import type { Io } from '../io/effect.ts';
import { numericId } from './accounts.ts';
import type { Content, VfsVerbs } from './verbs.ts';

const MODE_OF_FILES = 0o644;
const MODE_OF_DIRECTORIES = 0o755;
const SLASH = 0x2f;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Each verb is a transaction of the tree: it succeeds whole or changes nothing. */
export class TreeVerbs implements VfsVerbs {
  readonly #tree: EditableTree;

  constructor(tree: EditableTree) {
    this.#tree = tree;
  }

  *makePath(path: string): Io<void> {
    const where = absolute(path);
    yield* this.#tree.transaction(() => makeDirectories(this.#tree, where));
  }

  *appendFile(path: string, content: Content): Io<void> {
    yield* this.#tree.appendFile(absolute(path), bytesOf(content), { mode: MODE_OF_FILES });
  }

  *replaceFile(path: string, content: Content): Io<void> {
    yield* this.#tree.writeFile(absolute(path), bytesOf(content), { mode: MODE_OF_FILES });
  }

  *readFile(path: string): Io<string> {
    const bytes = yield* this.readFileBytes(path);
    try {
      return utf8.decode(bytes);
    } catch {
      throw new Posix('EINVAL', { path }, 'the file is no UTF-8 text; read its bytes');
    }
  }

  *readFileBytes(path: string): Io<Bytes> {
    return yield* this.#tree.readFile(absolute(path));
  }

  *hasFile(path: string): Io<boolean> {
    const where = absolute(path);
    return this.#tree.mounts.length > 0 && (yield* this.#tree.exists(where));
  }

  *setPermissions(path: string, mode: number): Io<void> {
    const where = absolute(path);
    if (!(Number.isInteger(mode) && mode >= 0)) throw new Posix('EINVAL', { path }, `${mode} is no mode`);
    yield* this.#tree.chmod(where, mode % 0o10000);
  }

  *setOwnership(path: string, user: string | null, group: string | null): Io<void> {
    const where = absolute(path);
    const uid = user === null ? undefined : yield* idOf(this.#tree, '/etc/passwd', 'user', user);
    const gid = group === null ? undefined : yield* idOf(this.#tree, '/etc/group', 'group', group);
    yield* this.#tree.chown(where, uid, gid);
  }
}

/**
 * A path from the root, whether it begins with a slash or not; lone surrogates U+DC80..U+DCFF stand for bytes that are no UTF-8. Throws Posix EINVAL
 * for what no path can be.
 */
function absolute(path: string): Bytes {
  if (path === '') throw new Posix('EINVAL', {}, 'the empty path names nothing');
  if (/[\ud800-\udc7f\udd00-\udfff]/u.test(path)) throw new Posix('EINVAL', {}, 'a path that is no well-formed text names nothing');
  const bytes = encodeName(path.startsWith('/') ? path : `/${path}`);
  if (bytes.includes(0)) throw new Posix('EINVAL', {}, 'a path cannot contain a NUL byte');
  return bytes;
}

function bytesOf(content: Content): Bytes {
  if (typeof content !== 'string') return content;
  if (/\p{Surrogate}/u.test(content)) throw new Posix('EINVAL', {}, 'the content is no well-formed text');
  return encodeName(content);
}

function* idOf(tree: EditableTree, database: string, what: string, name: string): Io<number> {
  let text = '';
  try {
    text = yield* tree.readText(database);
  } catch (error) {
    if (!(error instanceof Posix)) throw error;
    throw new Posix(error.code, { path: database }, `Error obtaining the number of ${what} '${name}': ${error.message}`, { cause: error });
  }
  const id = numericId(text, name);
  if (id === undefined)
    throw new Posix('ENOENT', { path: database }, `Error obtaining the number of ${what} '${name}': there is no such ${what}`);
  return id;
}

/**
 * What libguestfs's mkdir_p does: it makes the last directory, and where the parent is missing that one before. `a/../b` thus makes both,
 * links on the way are followed, and one at the end is an error, wherever it leads.
 */
function* makeDirectories(tree: EditableTree, path: Bytes): Io<void> {
  const missing: Bytes[] = [];
  for (let here = path; ; ) {
    if (yield* makeOne(tree, here, true)) break;
    missing.push(here);
    here = here.subarray(0, here.lastIndexOf(SLASH));
    if (here.length === 0) break;
  }
  for (const here of missing.reverse()) yield* makeOne(tree, here, false);
}

/** mkdir(2) that is content with a directory; false where the parent is missing, if that is allowed. */
function* makeOne(tree: EditableTree, path: Bytes, parentMayMiss: boolean): Io<boolean> {
  try {
    yield* tree.mkdir(path, { mode: MODE_OF_DIRECTORIES });
    return true;
  } catch (error) {
    if (!(error instanceof Posix)) throw error;
    if (error.code === 'ENOENT' && parentMayMiss) return false;
    if (error.code !== 'EEXIST') throw error;
  }
  const { kind } = yield* tree.lstat(path);
  if (kind !== 'directory') throw new Posix('ENOTDIR', { path: decodeName(path) });
  return true;
}

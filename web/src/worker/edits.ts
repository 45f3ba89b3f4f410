/** Changing files. */
import { encodeName } from '../../../src/bytes/text.ts';
import { Posix, Refused } from '../../../src/errors.ts';
import type { EditableTree } from '../../../src/guest/edit.ts';
import { type Io, perform, Read } from '../../../src/io/index.ts';
import { BlobSource } from '../../../src/platform/browser/index.ts';
import { injectDataIntoFs } from '../../../src/vfs/inject.ts';
import { TreeVerbs } from '../../../src/vfs/tree-verbs.ts';
import type { Injection, Progress } from '../protocol.ts';
import { encodeText } from '../text-encoding.ts';

const PIECE: number = 1 << 20;
const MOST_INJECTED: number = 64 << 20;

/** A name that can stand in a directory. Throws Posix EINVAL. */
export function checkName(name: string): void {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    throw new Posix('EINVAL', {}, `"${name}" cannot be the name of a file`);
  }
}

/** A file keeps its owner and mode when it is there already. */
export function* writeText(tree: EditableTree, path: string, text: string, encoding: string): Io<void> {
  yield* tree.writeFile(path, encodeText(text, encoding));
}

/** Puts chosen files into a directory, all or none. */
export function* upload(
  tree: EditableTree,
  folder: string,
  files: readonly { name: string; file: File }[],
  progress: (progress: Progress) => void,
): Io<void> {
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  let done = 0;
  yield* tree.transaction(function* () {
    for (const { name, file } of files) {
      checkName(name);
      const source = new BlobSource(file, name);
      let at = 0;
      const path = `${folder.replace(/\/$/, '')}/${name}`;
      yield* tree.writeFrom(path, {}, function* () {
        if (at >= file.size) return undefined;
        const piece = new Uint8Array(Math.min(PIECE, file.size - at));
        const got = yield* perform(new Read(source, at, piece));
        if (got <= 0) throw new Posix('EIO', { image: name }, 'the file became shorter while it was read');
        at += got;
        done += got;
        progress({ done, total, note: name });
        return piece.subarray(0, got);
      });
    }
  });
}

const SALT_CHARACTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./';

function salt(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => SALT_CHARACTERS.charAt(byte & 63)).join('');
}

/** Injects what is given, all of it or nothing. */
export async function inject(change: <T>(body: (tree: EditableTree) => Io<T>) => Promise<T>, injection: Injection): Promise<void> {
  const { key, password, hostname, files } = injection;
  if (key?.includes('PRIVATE KEY-----') === true)
    throw new Refused('this is a private key, which does not belong into a guest; give the public one (.pub)');
  const contents: [string, Uint8Array][] = [];
  for (const { path, file } of files) {
    if (!path.startsWith('/')) throw new Posix('EINVAL', {}, `"${path}" is no absolute path of the guest`);
    if (file.size > MOST_INJECTED) throw new Posix('EFBIG', { path }, 'more than 64 MiB; use Upload in the tree');
    contents.push([path, new Uint8Array(await file.arrayBuffer())]);
  }
  await change((tree) =>
    tree.transaction(function* () {
      yield* injectDataIntoFs(
        new TreeVerbs(tree),
        { key: key ?? null, adminPassword: password ?? null, files: contents },
        { salt, passwordScheme: 'sha512', mandatory: ['key', 'adminPassword', 'files'] },
      );
      if (hostname !== undefined) yield* setHostname(tree, hostname);
    }),
  );
}

/** /etc/hostname, and the old name's place in /etc/hosts. */
function* setHostname(tree: EditableTree, hostname: string): Io<void> {
  if (!/^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/.test(hostname)) {
    throw new Posix('EINVAL', {}, `"${hostname}" is no host name: letters, digits, - and . make one`);
  }
  const before = (yield* tree.exists('/etc/hostname')) ? (yield* tree.readText('/etc/hostname', { limit: 4096 })).trim() : '';
  yield* tree.writeFile('/etc/hostname', `${hostname}\n`);
  if (before === '' || !(yield* tree.exists('/etc/hosts'))) return;
  const hosts = yield* tree.readText('/etc/hosts', { limit: 1 << 20 });
  const changed = hosts
    .split('\n')
    .map((line) =>
      /^\s*127\.|^\s*::1/.test(line)
        ? line
            .split(/(\s+)/)
            .map((word) => (word === before ? hostname : word))
            .join('')
        : line,
    )
    .join('\n');
  if (changed !== hosts) yield* tree.writeFile('/etc/hosts', encodeName(changed));
}

/** `chmod` and `chown`: permissions and owners. */

import { decodeName } from '../bytes/text.ts';
import { Posix, Refused } from '../errors.ts';
import type { EditableTree } from '../guest/edit.ts';
import { walk } from '../guest/walk.ts';
import type { Io } from '../io/effect.ts';
import { numericId } from '../vfs/accounts.ts';
import type { Run } from './declaration.ts';
import { editImage } from './edit.ts';
import type { Invocation } from './invocation.ts';
import { applyMode } from './mode.ts';

export const chmod: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, function* (tree) {
    const mode = invocation.argument('MODE');
    yield* forEachPath(tree, invocation, function* (path, link) {
      if (link) return;
      const { mode: now, kind } = yield* tree.stat(path);
      yield* tree.chmod(path, applyMode(mode, now, kind === 'directory'));
    });
  });

export const chown: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, function* (tree) {
    const { uid, gid } = yield* ownerOf(tree, invocation.argument('OWNER'));
    yield* forEachPath(tree, invocation, (path, link) =>
      tree.chown(path, uid, gid, { followLast: !link && !invocation.has('--no-dereference') }),
    );
  });

/** Each PATH, and with --recursive what is below it; `link` says that a path found on the way is a symbolic link. */
function* forEachPath(tree: EditableTree, invocation: Invocation, body: (path: string, link: boolean) => Io<void>): Io<void> {
  for (const path of invocation.arguments('PATH')) {
    if (!invocation.has('--recursive')) {
      yield* body(path, false);
      continue;
    }
    const walker = yield* walk(tree, path, { followStart: true });
    for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
      yield* body(decodeName(entry.path), entry.kind === 'symlink');
    }
  }
}

/** `OWNER`, `OWNER:GROUP`, `OWNER:` (the user's own group is not looked up: nothing changes), `:GROUP`; guest names or numbers. */
export function* ownerOf(tree: EditableTree, text: string): Io<{ uid: number | undefined; gid: number | undefined }> {
  const [user = '', group = '', ...more] = text.split(':');
  if (more.length > 0 || (user === '' && group === '')) throw new Refused(`'${text}' is no OWNER[:GROUP]`);
  return { uid: yield* idOf(tree, '/etc/passwd', user), gid: yield* idOf(tree, '/etc/group', group) };
}

function* idOf(tree: EditableTree, database: string, name: string): Io<number | undefined> {
  if (name === '') return undefined;
  if (/^[0-9]{1,10}$/.test(name) && Number(name) < 0xffff_ffff) return Number(name);
  const id = numericId(yield* tree.readText(database), name);
  if (id === undefined) throw new Posix('ENOENT', { path: database }, `the guest has no '${name}'`);
  return id;
}

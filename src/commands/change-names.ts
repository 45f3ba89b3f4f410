/** `mkdir`, `rm`, `mv`, `ln`: names of the tree. */
import { decodeName } from '../bytes/text.ts';
import type { EditableTree } from '../guest/edit.ts';
import type { Io } from '../io/effect.ts';
import type { Run } from './declaration.ts';
import { editImage } from './edit.ts';

export const mkdir: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, function* (tree) {
    for (const path of invocation.arguments('PATH')) {
      if (invocation.has('--parents')) yield* tree.mkdirp(path);
      else yield* tree.mkdir(path);
    }
  });

export const rm: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, function* (tree) {
    const options = { recursive: invocation.has('--recursive'), force: invocation.has('--force') };
    for (const path of invocation.arguments('PATH')) yield* tree.rm(path, options);
  });

export const mv: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, function* (tree) {
    const from = invocation.argument('FROM');
    yield* tree.rename(from, yield* intoDirectory(tree, invocation.argument('TO'), from));
  });

export const ln: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, function* (tree) {
    const target = invocation.argument('TARGET');
    const link = yield* intoDirectory(tree, invocation.argument('LINK'), target);
    if (invocation.has('--symbolic')) yield* tree.symlink(target, link);
    else yield* tree.link(target, link);
  });

/** As mv(1) and ln(1): where a directory is named, the thing goes into it under its own last name. */
function* intoDirectory(tree: EditableTree, path: string, from: string): Io<string> {
  const { place } = yield* tree.lookup(path);
  if (place?.stat.kind !== 'directory') return path;
  const name = from.split('/').findLast((part) => part !== '') ?? '';
  const real = decodeName(yield* tree.realpath(path));
  return `${real === '/' ? '' : real}/${name}`;
}

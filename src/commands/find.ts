/** `find`: all paths below a directory. */
import type { FileKind } from '../filesystem/filesystem.ts';
import { find as findEntries } from '../guest/find.ts';
import type { WalkEntry } from '../guest/walk.ts';
import type { Io } from '../io/effect.ts';
import { Damage } from './damage.ts';
import type { Run } from './declaration.ts';
import { statRecord } from './file-text.ts';
import { openTree } from './open.ts';
import { JsonLines, Printer } from './output.ts';
import { shownPaths } from './shown-path.ts';

const NUL = Uint8Array.of(0);
const KINDS: Readonly<Record<string, FileKind>> = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
  b: 'block',
  c: 'character',
  p: 'fifo',
  s: 'socket',
};

export const find: Run = function* (invocation, host, output): Io<number> {
  const tree = yield* openTree(invocation, host);
  const path = invocation.optional('PATH') ?? '/';
  const name = invocation.value('--name');
  const kind = KINDS[invocation.value('--type') ?? ''];
  const damage = new Damage(host);
  const shown = shownPaths(path, yield* tree.realpath(path));
  const printer = new Printer(output);
  const json = output.json ? new JsonLines(output) : undefined;
  const terminated = invocation.has('--print0');

  function* show(entry: WalkEntry): Io<void> {
    if (json !== undefined) {
      const target = entry.kind === 'symlink' ? yield* entry.mount.fileSystem.readlink(entry.node) : undefined;
      yield* json.add(statRecord(shown(entry.path), entry.stat, target));
    } else if (terminated) {
      printer.bytes(shown(entry.path)).bytes(NUL);
      yield* printer.spill();
    } else {
      printer.name(shown(entry.path));
      yield* printer.line();
    }
  }

  const options = {
    followStart: true,
    onError: damage.onError,
    ...(name === undefined ? {} : { name }),
    ...(kind === undefined ? {} : { kinds: [kind] }),
  };
  yield* findEntries(tree, path, options, show);
  yield* printer.flush();
  if (json !== undefined) yield* json.end();
  return damage.status;
};

/** `checksum`: the checksums of all regular files. */
import type { Bytes } from '../bytes/struct.ts';
import { decodeName } from '../bytes/text.ts';
import { checksums, hex } from '../guest/checksum.ts';
import type { WalkEntry } from '../guest/walk.ts';
import type { Io } from '../io/effect.ts';
import { Damage } from './damage.ts';
import type { Run } from './declaration.ts';
import { openTree } from './open.ts';
import { JsonLines, Printer } from './output.ts';
import { shownPaths } from './shown-path.ts';

export const checksum: Run = function* (invocation, host, output): Io<number> {
  const tree = yield* openTree(invocation, host);
  const path = invocation.optional('PATH') ?? '/';
  const algorithm = invocation.value('--algorithm') ?? 'sha256';
  const damage = new Damage(host);
  const shown = shownPaths(path, yield* tree.realpath(path));
  const printer = new Printer(output);
  const json = output.json ? new JsonLines(output) : undefined;
  let done = 0;

  function* show(entry: WalkEntry, digest: Bytes): Io<void> {
    const name = shown(entry.path);
    if (json !== undefined) yield* json.add({ path: decodeName(name), [algorithm]: hex(digest) });
    else {
      printer.text(`${hex(digest)}  `).name(name);
      yield* printer.line();
    }
    host.progress((done += entry.stat.size));
  }

  yield* checksums(tree, path, { algorithm, hashes: host.hashes, followStart: true, onError: damage.onError }, show);
  yield* printer.flush();
  if (json !== undefined) yield* json.end();
  return damage.status;
};

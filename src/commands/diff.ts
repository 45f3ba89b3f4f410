/** `diff`: the files in which two images differ. */
import { decodeName } from '../bytes/text.ts';
import { type Difference, diffTrees } from '../guest/diff.ts';
import type { Io } from '../io/effect.ts';
import { Damage } from './damage.ts';
import type { Run } from './declaration.ts';
import { openTree } from './open.ts';
import { JsonLines, Printer } from './output.ts';

export const diff: Run = function* (invocation, host, output): Io<number> {
  const before = yield* openTree(invocation, host, 'IMAGE1');
  const after = yield* openTree(invocation, host, 'IMAGE2');
  const damage = new Damage(host);
  const printer = new Printer(output);
  const json = output.json ? new JsonLines(output) : undefined;
  let differences = 0;

  function* show({ sign, path, reasons }: Difference): Io<void> {
    differences++;
    if (json !== undefined) {
      const change = sign === '+' ? 'added' : sign === '-' ? 'removed' : 'changed';
      yield* json.add({ change, path: decodeName(path), reasons });
      return;
    }
    printer.text(`${sign} `).name(path);
    if (reasons.length > 0) printer.text(` (${reasons.join(', ')})`);
    yield* printer.line();
  }

  const options = {
    times: invocation.has('--times'),
    contents: !invocation.has('--no-content'),
    followStart: true,
    onError: damage.onError,
  };
  yield* diffTrees(before, after, invocation.optional('PATH') ?? '/', options, show);
  yield* printer.flush();
  if (json !== undefined) yield* json.end();
  if (damage.status !== 0) return damage.status;
  return differences > 0 && invocation.has('--exit-code') ? 1 : 0;
};

/** `wasi`: a program over the files of the guest. */
import { Unsupported } from '../errors.ts';
import { EditableTree } from '../guest/edit.ts';
import { EditSession } from '../guest/session.ts';
import type { Io } from '../io/effect.ts';
import type { Run } from './declaration.ts';
import { withEditing } from './edit.ts';
import type { Host } from './host.ts';
import type { Invocation } from './invocation.ts';
import { mountChoice } from './open.ts';
import { openNamedImage } from './open-image.ts';

/** The longest program, in bytes. */
const PROGRAM_MAX = 512 << 20;

export const wasi: Run = function* (invocation, host) {
  const program = yield* host.readFile(invocation.argument('PROGRAM'), PROGRAM_MAX);
  if (!(program[0] === 0 && program[1] === 0x61 && program[2] === 0x73 && program[3] === 0x6d)) {
    throw new Unsupported('a program that is no WebAssembly', undefined, { image: invocation.argument('PROGRAM') });
  }
  const run = (tree: EditableTree): number => {
    if (host.runProgram === undefined) throw new Unsupported('programs of WASI', 'programs cannot be run here');
    return host.runProgram(tree, program, {
      args: [invocation.argument('PROGRAM').replace(/^.*\//, ''), ...invocation.arguments('ARG')],
      env: invocation.values('--env'),
    });
  };
  if (!invocation.has('--commit') && invocation.value('--overlay') === undefined) return yield* withoutSaving(invocation, host, run);
  // biome-ignore lint/correctness/useYield: the program runs to its end on the spot
  return yield* withEditing(invocation, host, function* (tree) {
    return run(tree);
  });
};

/** What is changed is forgotten. */
function* withoutSaving(invocation: Invocation, host: Host, run: (tree: EditableTree) => number): Io<number> {
  const image = yield* openNamedImage(invocation, host);
  const session = new EditSession(image, {
    overlay: { temporary: () => host.openTemporary() },
    ignoreChecksums: invocation.value('--checksums') === 'ignore',
    clock: () => host.now(),
  });
  const tree = new EditableTree();
  yield* session.mount(tree, mountChoice(invocation, host));
  try {
    return run(tree);
  } finally {
    session.close();
  }
}

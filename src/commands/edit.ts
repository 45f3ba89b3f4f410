/** What the writing verbs share: changes go to an overlay, and from there, when all is well, to where the user said. */
import { EditableTree } from '../guest/edit.ts';
import { EditSession } from '../guest/session.ts';
import type { Io } from '../io/effect.ts';
import type { Host } from './host.ts';
import type { Invocation } from './invocation.ts';
import { mountChoice } from './open.ts';
import { openNamedImage } from './open-image.ts';

/** Changes the files of the image that IMAGE names: `body` as one transaction, then `--commit` or `--overlay`. Returns the exit status. */
export function* editImage(invocation: Invocation, host: Host, body: (tree: EditableTree) => Io<void>): Io<number> {
  yield* withEditing(invocation, host, body);
  return 0;
}

/** As {@link editImage}, with the result of `body`. When that throws, nothing is saved. */
export function* withEditing<T>(invocation: Invocation, host: Host, body: (tree: EditableTree) => Io<T>): Io<T> {
  const commit = invocation.has('--commit');
  const target = invocation.value('--overlay');
  if (commit === (target !== undefined)) {
    const message = commit ? '--commit and --overlay exclude each other' : 'say where the changes go: --commit or --overlay NEW.qcow2';
    throw invocation.wrongUse(message);
  }
  const saving = yield* host.prepareSave(invocation.argument('IMAGE'), target);
  const image = yield* openNamedImage(invocation, host);
  saving.check(image);
  const session = new EditSession(image, {
    overlay: saving.overlay,
    ignoreChecksums: invocation.value('--checksums') === 'ignore',
    clock: () => host.now(),
  });
  const tree = new EditableTree();
  try {
    yield* session.mount(tree, mountChoice(invocation, host));
    const result = yield* tree.transaction(() => body(tree));
    yield* tree.flush();
    yield* saving.save(image, session.overlay);
    return result;
  } finally {
    saving.abandon();
  }
}

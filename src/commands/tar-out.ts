/** `tar-out`: a directory as a tar archive. */
import { decodeName } from '../bytes/text.ts';
import { writeTar } from '../guest/tar-write.ts';
import { type Io, perform } from '../io/effect.ts';
import { Write } from '../io/source.ts';
import { Damage } from './damage.ts';
import type { Run } from './declaration.ts';
import { openTree } from './open.ts';

export const tarOut: Run = function* (invocation, host, output): Io<number> {
  const tree = yield* openTree(invocation, host);
  const file = invocation.optional('FILE') ?? '-';
  const damage = new Damage(host);
  const options = {
    followStart: true,
    onError: damage.onError,
    sparse: !invocation.has('--no-sparse'),
    xattrs: !invocation.has('--no-xattrs'),
    onWarning: ({ message, path }: { readonly message: string; readonly path: Uint8Array }): void =>
      host.warn(`${decodeName(path)}: ${message}`),
  };
  const path = invocation.argument('PATH');
  let done = 0;
  if (file === '-') {
    yield* writeTar(tree, path, options, (bytes) => {
      host.progress((done += bytes.length));
      return output.write(bytes);
    });
    return damage.status;
  }
  const created = yield* host.createFile(file);
  try {
    yield* writeTar(tree, path, options, (bytes) => {
      const offset = done;
      host.progress((done += bytes.length));
      return perform(new Write(created.target, offset, bytes));
    });
    yield* created.finish();
  } finally {
    created.abandon();
  }
  return damage.status;
};

/** Files and directories of the guest as downloads. */
import type { Bytes } from '../../../src/bytes/struct.ts';
import { writeTar } from '../../../src/guest/tar-write.ts';
import type { GuestTree } from '../../../src/guest/tree.ts';
import { type Io, perform, Write } from '../../../src/io/index.ts';
import type { Calls, Progress, Written } from '../protocol.ts';
import { run } from './driver.ts';
import { outgoing } from './outgoing.ts';
import { writeZip } from './zip.ts';

export async function download(
  tree: GuestTree,
  { path, as, target: chosen }: Calls['download']['args'],
  progress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Written> {
  const last = path.replace(/\/+$/, '').split('/').pop() || 'root';
  const plain = last.replace(/[\uD800-\uDFFF\p{Cc}\p{Cf}]/gu, '_');
  return await outgoing(as === 'file' ? plain : `${plain}.${as}`, chosen, async (target, warn) => {
    let done = 0;
    let told = 0;
    function* put(bytes: Bytes): Io<void> {
      yield* perform(new Write(target, done, bytes));
      done += bytes.length;
      if (done - told >= 8 << 20) {
        told = done;
        progress({ done });
      }
    }
    if (as === 'file') await run(tree.forEachChunk(path, {}, put), signal);
    else if (as === 'tar')
      await run(writeTar(tree, path, { onError: (error) => warn(error.message), onWarning: ({ message }) => warn(message) }, put), signal);
    else await run(writeZip(tree, path, put, warn), signal);
  });
}

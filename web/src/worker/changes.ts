/** What differs from the image, file by file. */
import { decodeName } from '../../../src/bytes/text.ts';
import { diffTrees } from '../../../src/guest/diff.ts';
import { type Change, KIND_OF } from '../protocol.ts';
import { run } from './driver.ts';
import type { OpenDisk } from './open-disk.ts';

const MOST_CHANGES = 20_000;
const AT_ONCE = 200;

/** Gives the changes in the order of a walk. Files of which size and times are as before count as unchanged: every verb stamps what it writes. */
export async function changes(
  disk: OpenDisk,
  part: (changes: readonly Change[]) => void,
  signal: AbortSignal,
): Promise<{ problems: number }> {
  const { overlay, handle } = disk;
  if (overlay === undefined || handle === undefined) return { problems: 0 };
  await run(handle.tree.flush(), signal);
  if (!overlay.changed || handle.tree.mounts.length === 0) return { problems: 0 };
  let problems = 0;
  let count = 0;
  let found: Change[] = [];
  const options = { times: true, contents: false, onError: () => problems++ };
  await run(
    diffTrees(disk.baseTree, handle.tree, '/', options, ({ sign, path, before, after, reasons }) => {
      const kind = (after ?? before)?.kind ?? 'file';
      // A directory's time changes with every name in it.
      if (sign === '=' && kind === 'directory' && reasons.every((reason) => reason === 'mtime')) return undefined;
      if (++count > MOST_CHANGES) return undefined;
      found.push({
        sign,
        path: decodeName(path),
        kind: KIND_OF[kind],
        reasons: reasons.map((reason) => (reason === 'mtime' ? 'contents or time' : reason)),
      });
      if (found.length >= AT_ONCE) {
        part(found);
        found = [];
      }
      return undefined;
    }),
    signal,
  );
  if (found.length > 0) part(found);
  return { problems };
}

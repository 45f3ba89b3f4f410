/** Where changes go: into the image, through a journal beside it, or into a new qcow2 file over it. */
import * as fs from 'node:fs';
import type { Saving } from '../commands/host.ts';
import { Posix, Unsupported } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import { commitOverlay, RAW_IMAGE } from '../overlay/commit.ts';
import { recover } from '../overlay/journal.ts';
import { commitHost } from '../platform/node/commit.ts';

/** Finishes a commit that was interrupted, and remembers the image as it is now. */
export function* prepareSave(image: string, target: string | undefined): Io<Saving> {
  if (target !== undefined) return yield* prepareOverlay(target);
  const host = yield* perform({ sync: () => commitHost(image), async: async () => commitHost(image) });
  yield* recover(host);
  const stamp = yield* perform({ sync: () => host.stamp(), async: async () => host.stamp() });
  return {
    *save(opened, overlay): Io<void> {
      if (opened.format !== 'raw' || Math.abs(opened.size - opened.source.size) >= 512) {
        throw new Unsupported(`writing ${opened.format}`, `changes cannot be written into a ${opened.format} image yet`, { image });
      }
      yield* commitOverlay(overlay, RAW_IMAGE, host, stamp);
    },
  };
}

// biome-ignore lint/correctness/useYield: a computation like its sibling
function* prepareOverlay(target: string): Io<Saving> {
  if (fs.lstatSync(target, { throwIfNoEntry: false }) !== undefined) throw new Posix('EEXIST', { image: target });
  throw new Unsupported('writing qcow2', 'new qcow2 files cannot be written yet', { image: target });
}

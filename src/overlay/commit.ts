/** Writing an overlay back into its image. */
import type { Bytes } from '../bytes/struct.ts';
import { isZero } from '../bytes/text.ts';
import { Refused } from '../errors.ts';
import type { CommitHost } from '../io/commit-host.ts';
import type { Io } from '../io/effect.ts';
import { applyThroughJournal, type FileChanges, type FileRange, onHost, refuseInUse } from './journal.ts';
import type { Change, OverlayDevice } from './overlay.ts';

const SECTOR = 512;

/** An image format that can take changes of its disk. */
export interface WritableImage {
  readonly format: string;
  /**
   * What the image's file has to become so that its disk reads as `read` says, for the given changes. Writes nothing. `fileSize` is the
   * length of the file now, in bytes.
   */
  stage(changes: readonly Change[], read: (offset: number, target: Bytes) => Io<void>, fileSize: number): Io<FileChanges>;
}

/** The raw format: the file is the disk. */
export const RAW_IMAGE: WritableImage = {
  format: 'raw',
  *stage(changes, read, fileSize): Io<FileChanges> {
    const ranges: FileRange[] = changes.map(({ offset, length, kind }) => ({ offset, length, kind: kind === 'data' ? 'data' : 'zero' }));
    const last = ranges.at(-1);
    const end = last === undefined ? 0 : last.offset + last.length;
    if (last === undefined || end <= fileSize) return { ranges, size: fileSize, read };
    // The disk has whole sectors where the file ends within one: it keeps its length unless there is something behind.
    const tail = new Uint8Array(Math.min(end - fileSize, SECTOR));
    yield* read(end - tail.length, tail);
    if (end - fileSize >= SECTOR || last.offset >= fileSize || !isZero(tail)) return { ranges, size: end, read };
    return { ranges: [...ranges.slice(0, -1), { ...last, length: fileSize - last.offset }], size: fileSize, read };
  },
};

/**
 * Writes the overlay's changes into its image, whole or not at all, and empties the overlay. `stamp` is what `host.stamp()` said when
 * the image was opened; returned is the new one. What the base keeps in memory about the image (tables of qcow2) is stale afterwards.
 *
 * Throws Refused, and changes nothing, when a transaction is open, when the image was written or replaced since it was opened, or when
 * somebody (a running qemu) has it in use.
 */
export function* commitOverlay(overlay: OverlayDevice, image: WritableImage, host: CommitHost, stamp: string): Io<string> {
  if (overlay.inTransaction) throw new Refused('a transaction is open', { image: host.name });
  function* check(): Io<void> {
    yield* refuseInUse(host);
    if ((yield* onHost(() => host.stamp())) !== stamp) {
      throw new Refused('the image was changed by somebody else since it was opened; nothing was written to it', { image: host.name });
    }
  }
  yield* check();
  if (!overlay.changed) return stamp;
  const fileSize = yield* onHost(() => {
    const source = host.openImage();
    source.close?.();
    return source.size;
  });
  const changes = yield* image.stage(overlay.changes(), (offset, target) => overlay.readInto(offset, target), fileSize);
  yield* applyThroughJournal(host, changes, check);
  overlay.discardAll();
  return yield* onHost(() => host.stamp());
}

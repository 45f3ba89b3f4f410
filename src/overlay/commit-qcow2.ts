/** Writing an overlay back into a qcow2 image: its file is rewritten aside, and changed through the journal. */
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/codecs.ts';
import { Unsupported } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { Io } from '../io/effect.ts';
import { openWritableQcow2 } from '../qcow2/write.ts';
import type { WritableImage } from './commit.ts';
import type { FileChanges } from './journal.ts';
import type { Change, OverlayOptions } from './overlay.ts';
import { StagedSource } from './staged.ts';

/** Bytes that are written at once. */
const PIECE: number = 2 << 20;

export interface Qcow2CommitOptions {
  readonly codecs: Codecs;
  /** Where the rewritten parts of the file go that are too many for memory. */
  readonly temporary?: OverlayOptions['temporary'];
}

/** Throws Unsupported for what cannot be written through one journal. */
export function checkQcow2Commit(image: Image): void {
  if (image.metadata?.header.dataFile === undefined) return;
  const hint = 'changes cannot be written into an image with an external data file; save them with --overlay or saveAs instead';
  throw new Unsupported('commit into an external data file', hint, { image: image.source.name });
}

/** The qcow2 format; `image` is the opened image, of which only the file and the chain below are used. Opening it anew refuses what is not clean. */
export function qcow2Writer(image: Image, options: Qcow2CommitOptions): WritableImage {
  return {
    format: 'qcow2',
    *stage(changes, read): Io<FileChanges> {
      checkQcow2Commit(image);
      const { codecs, temporary } = options;
      const staged = new StagedSource(image.source, temporary === undefined ? {} : { temporary });
      const disk = yield* openWritableQcow2(staged, { codecs, ...(image.backing === undefined ? {} : { backing: image.backing }) });
      for (const change of changes) {
        if (change.kind === 'data') yield* copy(change, read, (offset, bytes) => disk.write(offset, bytes));
        else yield* disk.writeZeroes(change.offset, change.length);
      }
      yield* disk.flush();
      return staged.changes();
    },
  };
}

function* copy({ offset, length }: Change, read: (offset: number, target: Bytes) => Io<void>, write: typeof read): Io<void> {
  const buffer = new Uint8Array(Math.min(PIECE, length));
  for (let done = 0; done < length; done += buffer.length) {
    const part = buffer.subarray(0, length - done);
    yield* read(offset + done, part);
    yield* write(offset + done, part);
  }
}

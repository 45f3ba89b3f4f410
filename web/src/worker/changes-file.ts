/** The changes of a disk as a qcow2 overlay in a file: to be kept, or handed from one worker to another. */
import { Refused } from '../../../src/errors.ts';
import { openImage } from '../../../src/image/open.ts';
import type { Io } from '../../../src/io/effect.ts';
import type { WritableSource } from '../../../src/io/source.ts';
import { saveOverlay } from '../../../src/overlay/save.ts';
import { BlobSource } from '../../../src/platform/browser/index.ts';
import { run } from './driver.ts';
import { codecs, type OpenDisk } from './open-disk.ts';
import { openOutgoing } from './outgoing.ts';

const PIECE: number = 1 << 20;

/** Writes the changes into an empty file. */
export async function writeChanges(disk: OpenDisk, target: WritableSource): Promise<void> {
  const { handle, overlay } = disk;
  if (handle === undefined || overlay === undefined) throw new Refused('there are no changes');
  await run(handle.tree.flush());
  await run(saveOverlay(overlay, disk.image, target, { backing: 'base' }));
}

/** The changes in a file of their own, for another worker; undefined where there are none. The receiver removes it. */
export async function changesInFile(disk: OpenDisk): Promise<Blob | undefined> {
  if (disk.handle !== undefined) await run(disk.handle.tree.flush());
  if (disk.overlay?.changed !== true) return undefined;
  const { target, finish, abandon } = await openOutgoing(undefined);
  try {
    await writeChanges(disk, target);
    return await finish();
  } catch (error) {
    await abandon();
    throw error;
  }
}

/** Puts changes that were written so in the place of those that the disk has. */
export async function takeChanges(disk: OpenDisk, file: Blob): Promise<void> {
  await codecs.load();
  const changes = await run(openImage(new BlobSource(file, 'changes'), { format: 'qcow2', codecs: codecs.codecs, withoutBacking: true }));
  if (changes.size !== disk.image.size) throw new Refused('these changes belong to another image');
  const root = disk.describe().root;
  await disk.discard();
  const handle = await disk.editable();
  await run(handle.unmountAll());
  const { overlay } = disk;
  if (overlay === undefined) return;
  function* copy(): Io<void> {
    for (let at = 0; at < changes.size; ) {
      const extent = yield* changes.map(at, changes.size - at);
      const length = extent.data ? Math.min(extent.length, PIECE) : extent.length;
      if (extent.present && extent.zero) yield* overlay!.writeZeroes(at, length);
      else if (extent.present) yield* overlay!.write(at, yield* changes.read(at, length));
      at += length;
    }
  }
  await run(copy());
  handle.forget('/dev/sda');
  if (root !== undefined) await disk.show(root);
}

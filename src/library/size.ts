/** What nova's `nova/virt/disk/api.py` asks of the size of an image, and does about it. */
import { GuestlessError, Unsupported } from '../errors.ts';
import { openDisk } from '../guest/disk.ts';
import type { Image } from '../image/index.ts';
import { runAsync } from '../io/drivers.ts';
import { type Io, perform } from '../io/effect.ts';
import { Flush, Truncate } from '../io/source.ts';
import { recover, refuseInUse } from '../overlay/journal.ts';
import { nodeCodecs } from '../platform/node/codecs.ts';
import { commitHost } from '../platform/node/commit.ts';
import { FileSource } from '../platform/node/file.ts';
import { openWritableQcow2, resizeQcow2 } from '../qcow2/index.ts';
import type { LocalImage } from '../vfs/image.ts';
import { now, openWithFolder } from './open-image.ts';

/** The size of the disk in an image, in bytes. A file that is given by its name alone is told by its magic number. */
export async function getDiskSize(image: LocalImage | string): Promise<number> {
  return await runAsync(diskSize(image));
}

function* diskSize(image: LocalImage | string): Io<number> {
  const [name, how] = typeof image === 'string' ? [image, {}] : [image.path, { format: image.format }];
  const opened = yield* openWithFolder(name, { withoutBacking: true, ...how });
  opened.close();
  return opened.size;
}

/** Whether the disk is smaller than `size` bytes. */
export async function canResizeImage(image: LocalImage | string, size: number): Promise<boolean> {
  return (await getDiskSize(image)) < size;
}

/** Whether the whole disk is one ext2, ext3 or ext4 file system, which could grow with it. False too when that cannot be told. */
export async function isImageExtendable(image: LocalImage): Promise<boolean> {
  return await runAsync(isExtFileSystem(image));
}

function* isExtFileSystem(image: LocalImage): Io<boolean> {
  try {
    const opened = yield* openWithFolder(image.path, { format: image.format });
    try {
      const type = (yield* (yield* openDisk(opened)).identify('/dev/sda'))?.type ?? '';
      return /^ext[234]$/.test(type);
    } finally {
      opened.close();
    }
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    return false;
  }
}

/**
 * Lets a disk grow to `size` bytes; does nothing when it is as large already. What is inside does not grow: of qcow2 images nova leaves
 * that to the guest as well, and for a raw image that is one ext file system, which nova would let grow too, this throws Unsupported and
 * changes nothing. Throws Refused while somebody else uses the image.
 */
export async function extend(image: LocalImage, size: number): Promise<void> {
  await runAsync(extendImage(image, size));
}

function* extendImage(image: LocalImage, size: number): Io<void> {
  if ((yield* diskSize(image)) >= size) return;
  if (image.format === 'raw' && (yield* isExtFileSystem(image))) {
    const hint = 'the file system in the image cannot grow yet, so the image does not either; `qemu-img resize` and `resize2fs` do it';
    throw new Unsupported('growing a file system', hint, { image: image.path });
  }
  const host = yield* now(() => commitHost(image.path));
  yield* recover(host);
  yield* refuseInUse(host);
  const opened = yield* openWithFolder(image.path, { format: image.format });
  try {
    yield* grow(image, opened, size);
  } finally {
    opened.close();
  }
}

function* grow(image: LocalImage, opened: Image, size: number): Io<void> {
  const where = { image: image.path };
  if (opened.unpacked === true) throw new Unsupported('resizing compressed images', undefined, where);
  if (opened.metadata?.header.dataFile !== undefined) throw new Unsupported('resizing images with a data file', undefined, where);
  const file = yield* now(() => FileSource.open(image.path, { writable: true }));
  try {
    if (image.format === 'raw') {
      yield* perform(new Truncate(file, size));
      yield* perform(new Flush(file));
      return;
    }
    const backing = opened.backing === undefined ? {} : { backing: opened.backing };
    const disk = yield* openWritableQcow2(file, { codecs: nodeCodecs, ...backing });
    yield* resizeQcow2(disk, size);
    yield* disk.flush();
  } finally {
    file.close();
  }
}

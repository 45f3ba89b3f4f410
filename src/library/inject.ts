/** What nova's `nova/virt/disk/api.py` offers: injection, and questions about an image's size. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { GuestlessError, Unsupported } from '../errors.ts';
import { openDisk } from '../guest/disk.ts';
import { runAsync, runSync } from '../io/drivers.ts';
import { type Io, perform } from '../io/effect.ts';
import { posixError } from '../platform/node/file.ts';
import type { VfsOptions } from '../vfs/guest-vfs.ts';
import type { LocalImage } from '../vfs/image.ts';
import type { InjectionItems, InjectionOptions } from '../vfs/inject.ts';
import { injectDataIntoGuest } from '../vfs/inject-data.ts';
import { openWithFolder } from './open-image.ts';
import { guestVfs } from './vfs.ts';

const SALT_CHARACTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./';

/** Sixteen random characters, as crypt(3) wants its salts. */
export function randomSalt(): string {
  return Array.from(randomBytes(16), (byte) => SALT_CHARACTERS.charAt(byte & 63)).join('');
}

export interface InjectDataOptions extends Partial<InjectionOptions> {
  /** null and 0: the whole disk; N: partition N; -1: the mounts of the only operating system. */
  readonly partition?: number | null;
  /** Nothing is written into the image: a rehearsal. */
  readonly snapshot?: boolean;
  readonly clock?: VfsOptions['clock'];
}

function inject(image: LocalImage, items: InjectionItems, options: InjectDataOptions): Io<boolean> {
  const { partition = null, snapshot = false, clock, ...rest } = options;
  const fs = guestVfs(image, partition, { snapshot, ...(clock === undefined ? {} : { clock }) });
  return injectDataIntoGuest(fs, items, { salt: randomSalt, ...rest });
}

/**
 * Injects into an image and writes it back. True when everything is in, false when something that is not mandatory failed; a mandatory
 * failure is thrown. What was injected before a failure stays, as with nova.
 */
export async function injectData(image: LocalImage, items: InjectionItems, options: InjectDataOptions = {}): Promise<boolean> {
  return await runAsync(inject(image, items, options));
}

/** As {@link injectData}, at once. */
export function injectDataSync(image: LocalImage, items: InjectionItems, options: InjectDataOptions = {}): boolean {
  return runSync(inject(image, items, options));
}

/** The size of the disk in an image, in bytes. A file that is given by its name alone is told by its magic number. */
export async function getDiskSize(image: LocalImage | string): Promise<number> {
  return await runAsync(diskSize(image));
}

function* diskSize(image: LocalImage | string): Io<number> {
  const opened = yield* openWithFolder(...named(image));
  const { size } = opened;
  opened.close();
  return size;
}

function named(image: LocalImage | string): [name: string, options: { withoutBacking: true; format?: string }] {
  return typeof image === 'string' ? [image, { withoutBacking: true }] : [image.path, { withoutBacking: true, format: image.format }];
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
 * Lets a disk grow to `size` bytes; does nothing when it is as large already. Raw images with partitions, or without a file system, grow.
 * Where nova would let a file system grow too, and for qcow2, this throws Unsupported and changes nothing.
 */
export async function extend(image: LocalImage, size: number): Promise<void> {
  await runAsync(extendImage(image, size));
}

function* extendImage(image: LocalImage, size: number): Io<void> {
  if ((yield* diskSize(image)) >= size) return;
  const where = { image: image.path };
  if (image.format !== 'raw') throw new Unsupported('resizing qcow2', 'a qcow2 image cannot grow yet; `qemu-img resize` does it', where);
  if (yield* isExtFileSystem(image)) {
    const hint = 'the file system in the image cannot grow yet, so the image does not either; `qemu-img resize` and `resize2fs` do it';
    throw new Unsupported('growing a file system', hint, where);
  }
  const grow = (): void => {
    try {
      fs.truncateSync(image.path, size);
    } catch (error) {
      throw posixError(error, image.path);
    }
  };
  yield* perform({ sync: grow, async: async () => grow() });
}

/** nova's `inject_data` (`nova/virt/disk/api.py`). */
import { runAsync, runSync } from '../io/drivers.ts';
import type { Io } from '../io/effect.ts';
import type { VfsOptions } from '../vfs/guest-vfs.ts';
import type { LocalImage } from '../vfs/image.ts';
import type { InjectionItems, InjectionOptions } from '../vfs/inject.ts';
import { injectDataIntoGuest } from '../vfs/inject-data.ts';
import { guestVfs } from './vfs.ts';

const SALT_CHARACTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./';

/** Sixteen random characters, as crypt(3) wants its salts. */
export function randomSalt(): string {
  return Array.from(process.getBuiltinModule('node:crypto').randomBytes(16), (byte) => SALT_CHARACTERS.charAt(byte & 63)).join('');
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

/** nova's `inject_data`: opens an image, injects, closes it. */
import { GuestlessError } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import type { GuestVfs } from './guest-vfs.ts';
import { checkMandatory, type InjectionItems, type InjectionOptions, injectDataIntoFs, isWanted } from './inject.ts';

/**
 * Sets the guest up, injects, and tears it down. True when everything that was wanted is in. When the image cannot be set up, that is an
 * error if an item that is wanted is mandatory, and else makes the result false.
 */
export function* injectDataIntoGuest(fs: GuestVfs, items: InjectionItems, options: InjectionOptions): Io<boolean> {
  const mandatory = options.mandatory ?? [];
  checkMandatory(mandatory);
  try {
    yield* fs.setup();
  } catch (error) {
    if (!(error instanceof GuestlessError) || mandatory.some((item) => isWanted(items, item))) throw error;
    options.warn?.('image', error);
    return false;
  }
  try {
    return yield* injectDataIntoFs(fs, items, options);
  } finally {
    yield* fs.teardown();
  }
}

/** Opening the images of the commands under `img`. */
import type { Image } from '../../image/image.ts';
import type { Io } from '../../io/effect.ts';
import type { Host } from '../host.ts';
import type { Invocation } from '../invocation.ts';

/** Opens the image that an argument names, with its chain; `format` is the option that tells its format. Warnings are told. */
export function* openImage(invocation: Invocation, host: Host, argument: string, format: string, snapshot?: string): Io<Image> {
  const told = invocation.value(format);
  const image = yield* host.openImage(invocation.argument(argument), {
    ...(told === undefined ? {} : { format: told }),
    ...(snapshot === undefined ? {} : { snapshot }),
  });
  for (const warning of image.warnings) host.warn(warning.message);
  return image;
}

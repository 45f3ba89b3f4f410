/** Opens the image that a command names. */
import type { Image } from '../image/image.ts';
import type { Io } from '../io/effect.ts';
import type { Host } from './host.ts';
import type { Invocation } from './invocation.ts';

export interface NamedImageOptions {
  /** The argument that names it; default `IMAGE`. */
  readonly argument?: string;
  /** The option that tells its format; default `--format`. */
  readonly format?: string;
  /** The disk as it was in this internal snapshot. */
  readonly snapshot?: string | undefined;
}

/** Opens the image that an argument names, with its chain. Warnings are told. */
export function* openNamedImage(invocation: Invocation, host: Host, options: NamedImageOptions = {}): Io<Image> {
  const { argument = 'IMAGE', snapshot } = options;
  const format = invocation.value(options.format ?? '--format');
  const image = yield* host.openImage(invocation.argument(argument), {
    ...(format === undefined ? {} : { format }),
    ...(snapshot === undefined ? {} : { snapshot }),
  });
  for (const warning of image.warnings) host.warn(warning.message);
  return image;
}

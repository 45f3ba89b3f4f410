/** Paths as the user began them: a walk gives paths free of symbolic links. */
import { type Bytes, concatBytes, encodeName } from '../bytes/index.ts';

/** Turns the path of an entry below `real`, where the walk began, into one below the path that the user gave. */
export function shownPaths(given: string, real: Bytes): (path: Bytes) => Bytes {
  const absolute = encodeName(
    `/${given
      .split('/')
      .filter((name) => name !== '' && name !== '.')
      .join('/')}`,
  );
  if (absolute.length === real.length && absolute.every((byte, i) => byte === real[i])) return (path) => path;
  if (given.split('/').includes('..')) return (path) => path;
  const bare = absolute.length === 1 ? absolute.subarray(0, 0) : absolute;
  const skip = real.length === 1 ? 0 : real.length;
  return (path) => (path.length <= real.length ? absolute : concatBytes(bare, path.subarray(skip)));
}

/** `img resize`: the size of the disk in an image. */
import { Refused } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { perform } from '../../io/effect.ts';
import { Flush, Truncate } from '../../io/source.ts';
import { resizeQcow2 } from '../../qcow2/resize.ts';
import type { Run } from '../declaration.ts';
import { parseSize } from './numbers.ts';
import { openForWriting } from './open-writable.ts';

export const resize: Run = function* (invocation, host): Io<number> {
  const name = invocation.argument('IMAGE');
  const given = invocation.argument('SIZE');
  const sign = given.startsWith('+') ? 1 : given.startsWith('-') ? -1 : 0;
  const amount = parseSize(sign === 0 ? given : given.slice(1), 'SIZE', invocation);
  const { image, source, disk } = yield* openForWriting(host, name, invocation.value('--format'));
  const wanted = Math.ceil((sign === 0 ? amount : image.size + sign * amount) / 512) * 512;
  if (wanted < 0) throw new Refused(`the disk has only ${image.size} bytes`, { image: name });
  if (wanted < image.size && !invocation.has('--shrink')) {
    throw new Refused(`the disk has ${image.size} bytes: making it smaller loses what is behind; say --shrink if that is meant`, {
      image: name,
    });
  }
  if (disk !== undefined) yield* resizeQcow2(disk, wanted);
  else {
    yield* perform(new Truncate(source, wanted));
    yield* perform(new Flush(source));
  }
  return 0;
};

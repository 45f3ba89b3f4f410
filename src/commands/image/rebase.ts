/** `img rebase`: another backing file for an image. */
import { Refused } from '../../errors.ts';
import { resolveBackingName } from '../../image/names.ts';
import { keepWhatChanges } from '../../image/rebase.ts';
import type { Io } from '../../io/effect.ts';
import { setBacking } from '../../qcow2/amend.ts';
import { repairQcow2 } from '../../qcow2/repair.ts';
import { openWritableQcow2 } from '../../qcow2/write.ts';
import type { Run } from '../declaration.ts';
import { openQcow2ForWriting } from './open-writable.ts';

export const rebase: Run = function* (invocation, host): Io<number> {
  const name = invocation.argument('IMAGE');
  const given = invocation.value('--backing');
  const format = invocation.value('--backing-format');
  if (given === undefined) throw invocation.wrongUse("the new backing file is missing (-b FILE, or -b '' for none)");
  if (given !== '' && format === undefined) throw invocation.wrongUse('a backing file needs its format (-F): it is never guessed');
  const backing = given === '' ? undefined : { name: given, ...(format === undefined ? {} : { format }) };
  if (invocation.has('--unsafe')) {
    // The old backing file need not be there.
    const source = yield* host.openForWriting(name);
    yield* repairQcow2IfNeeded(source);
    yield* setBacking(yield* openWritableQcow2(source, { codecs: host.codecs }), backing);
    return 0;
  }
  const { image, disk } = yield* openQcow2ForWriting(host, name, invocation.value('--format'), 'rebase');
  const path = given === '' ? undefined : resolveBackingName(given, name, { image: name }).path;
  if (path === name) throw new Refused('the backing file is the image itself', { image: name });
  const below = path === undefined ? undefined : yield* host.openImage(path, format === undefined ? {} : { format });
  for (const warning of [...image.warnings, ...(below?.warnings ?? [])]) host.warn(warning.message);
  yield* keepWhatChanges(disk, below, (done) => host.progress(done, disk.size));
  yield* disk.flush();
  yield* setBacking(disk, backing);
  return 0;
};

function* repairQcow2IfNeeded(source: Parameters<typeof repairQcow2>[0]): Io<void> {
  const head = new Uint8Array(80);
  source.readSync?.(0, head);
  if ((head[7] ?? 0) === 3 && ((head[79] ?? 0) & 1) !== 0) yield* repairQcow2(source, 'all');
}

/** `img commit`: what an image holds, written into an image below it. */
import { Refused } from '../../errors.ts';
import { commitInto } from '../../image/commit.ts';
import { resolveReference } from '../../image/gate.ts';
import { chainOf } from '../../image/image.ts';
import type { Io } from '../../io/effect.ts';
import { perform } from '../../io/effect.ts';
import { Flush, Truncate } from '../../io/source.ts';
import { WritableSourceDevice } from '../../io/writable-source-device.ts';
import { emptyQcow2, resizeQcow2 } from '../../qcow2/resize.ts';
import type { Run } from '../declaration.ts';
import { openQcow2ForWriting, writable } from './open-writable.ts';

export const commit: Run = function* (invocation, host): Io<number> {
  const name = invocation.argument('IMAGE');
  const { image: top, disk } = yield* openQcow2ForWriting(host, name, invocation.value('--format'), 'commit');
  const chain = chainOf(top);
  const wanted = invocation.value('--base');
  const where = { image: name };
  if (chain.length < 2) throw new Refused('the image has no backing file to commit into', where);
  const depth = wanted === undefined ? 1 : chain.findIndex((_, i) => i > 0 && names(chain, i).includes(wanted));
  const base = chain[depth];
  if (depth < 1 || base === undefined) throw new Refused(`'${wanted}' is not in the chain of backing files`, where);
  const target = yield* writable(host, base, yield* host.openForWriting(base.source.name));
  const { source } = target;
  const onProgress = (done: number): void => host.progress(done, top.size);
  if (target.disk === undefined) {
    if (source.size < top.size) yield* perform(new Truncate(source, top.size));
    yield* commitInto(top, depth, new WritableSourceDevice(source), onProgress);
    yield* perform(new Flush(source));
  } else {
    if (target.disk.size < top.size) yield* resizeQcow2(target.disk, top.size);
    yield* commitInto(top, depth, target.disk, onProgress);
    yield* target.disk.flush();
  }
  // Where layers lie between, the image still needs them to show what it showed.
  if (!invocation.has('--keep') && wanted === undefined) yield* emptyQcow2(disk);
  return 0;
};

/** By which names a layer may be asked for: its path, or as the image above names it. */
function names(chain: ReturnType<typeof chainOf>, i: number): string[] {
  const layer = chain[i];
  const above = chain[i - 1];
  const named = above?.metadata?.header.backing?.name;
  if (layer === undefined || above === undefined || named === undefined) return [];
  return [named, layer.source.name, resolveReference({ kind: 'backing', name: named, from: above.source, depth: i }).path];
}

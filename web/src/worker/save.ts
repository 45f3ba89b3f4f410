/** Saving: the changes as an overlay, or the whole disk with them. */
import { Refused } from '../../../src/errors.ts';
import { copyDisk, Qcow2Sink, RawSink } from '../../../src/image/copy.ts';
import { saveOverlay } from '../../../src/overlay/save.ts';
import { DEFAULT_LAYOUT } from '../../../src/qcow2/stream-write.ts';
import type { Calls, Progress, Written } from '../protocol.ts';
import { run } from './driver.ts';
import type { OpenDisk } from './open-disk.ts';
import { outgoing } from './outgoing.ts';

/** Bytes that are read at once: a request to the browser takes about as long for 4 MiB as for one. */
const AT_ONCE: number = 4 << 20;
/** Runs of zeros that are left out. */
const ZEROS = 65_536;

export async function save(
  disk: OpenDisk,
  { kind, backing, target: chosen }: Calls['save']['args'],
  progress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Written> {
  const handle = await disk.editable();
  const { overlay } = disk;
  if (overlay === undefined) throw new Refused('nothing is open');
  await run(handle.tree.flush(), signal);
  const stem = disk.image.source.name.replace(/^.*\//, '').replace(/\.(qcow2|raw|img|gz|xz|zst|lz4)$/i, '');
  if (kind === 'overlay') {
    if (!overlay.changed) throw new Refused('there are no changes to save');
    return await outgoing(`${stem}-changes.qcow2`, chosen, async (target) => {
      await run(saveOverlay(overlay, disk.image, target, { backing }), signal);
    });
  }
  return await outgoing(`${stem}-changed.${kind}`, chosen, async (target) => {
    let told = 0;
    const onProgress = (done: number): void => {
      if (done - told < 16 << 20 && done < overlay.size) return;
      told = done;
      progress({ done, total: overlay.size });
    };
    const sink =
      kind === 'raw'
        ? new RawSink(withTruncate(target), overlay.size, { sparse: true })
        : new Qcow2Sink(target, overlay.size, DEFAULT_LAYOUT);
    await run(copyDisk(overlay, sink, { detectZeros: ZEROS, atOnce: AT_ONCE, onProgress }), signal);
    await run(sink.finish(), signal);
  });
}

/** The raw sink leaves holes where the target can be made longer. */
function withTruncate<T extends { truncateSync?(size: number): void; truncateAsync?(size: number): Promise<void> }>(target: T): T {
  if (target.truncateSync === undefined && target.truncateAsync !== undefined) {
    return new Proxy(target, {
      get: (of, key) =>
        key === 'truncateSync'
          ? () => {}
          : typeof of[key as keyof T] === 'function'
            ? (of[key as keyof T] as () => void).bind(of)
            : of[key as keyof T],
    });
  }
  return target;
}

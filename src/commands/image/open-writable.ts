/** Opening images that are written in place. */
import { Unsupported } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import { resolveDataName } from '../../image/names.ts';
import type { Io } from '../../io/effect.ts';
import type { WritableSource } from '../../io/source.ts';
import { repairQcow2 } from '../../qcow2/repair.ts';
import { openWritableQcow2, type WritableQcow2 } from '../../qcow2/write.ts';
import type { Host } from '../host.ts';

/** An image whose file can be written: `disk` is there for qcow2. */
export interface OpenedForWriting {
  /** The same image for reading, as it was when it was opened. */
  readonly image: Image;
  readonly source: WritableSource;
  readonly disk?: WritableQcow2;
}

/** Opens an image for writing. One that was not closed properly is repaired first. Throws Unsupported for other formats than raw and qcow2. */
export function* openForWriting(host: Host, name: string, format: string | undefined): Io<OpenedForWriting> {
  const source = yield* host.openForWriting(name);
  const image = yield* host.openImage(name, format === undefined ? {} : { format });
  return yield* writable(host, image, source);
}

/** Makes an opened image writable. */
export function* writable(host: Host, image: Image, source: WritableSource): Io<OpenedForWriting> {
  if (image.format === 'raw' && image.unpacked !== true) return { image, source };
  const header = image.metadata?.header;
  if (image.format !== 'qcow2' || header === undefined)
    throw new Unsupported('writing compressed images', undefined, { image: source.name });
  if (header.dirty) {
    host.warn('the image was not closed properly; its refcounts are repaired first');
    yield* repairQcow2(source, 'all');
  }
  const data = header.dataFile?.name;
  const dataFile = data === undefined ? undefined : yield* host.openForWriting(resolveDataName(data, image.source.name).path);
  const disk = yield* openWritableQcow2(source, {
    codecs: host.codecs,
    ...(image.backing === undefined ? {} : { backing: image.backing }),
    ...(dataFile === undefined ? {} : { dataFile }),
  });
  return { image, source, disk };
}

/** The same for commands that only qcow2 images know. */
export function* openQcow2ForWriting(
  host: Host,
  name: string,
  format: string | undefined,
  what: string,
): Io<OpenedForWriting & { disk: WritableQcow2 }> {
  const opened = yield* openForWriting(host, name, format);
  if (opened.disk === undefined) throw new Unsupported(`${what} of raw images`, undefined, { image: name });
  return { ...opened, disk: opened.disk };
}

/** `img measure`: how large a file a disk would need. */
import { encodeName } from '../../bytes/text.ts';
import { Unsupported } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import type { Io } from '../../io/effect.ts';
import { BITMAP } from '../../qcow2/format.ts';
import { measureQcow2 } from '../../qcow2/measure.ts';
import type { Run } from '../declaration.ts';
import { type CreationOptions, parseCreationOptions } from './creation-options.ts';
import { printJson, printText, wantsJson } from './document.ts';
import { parseSize } from './numbers.ts';

export const measure: Run = function* (invocation, host, output): Io<number> {
  const name = invocation.optional('IMAGE');
  const given = invocation.value('--size');
  if ((name === undefined) === (given === undefined)) {
    throw invocation.wrongUse('either an image or --size is wanted');
  }
  const target = invocation.value('--output-format') ?? 'raw';
  const format = invocation.value('--format');
  const snapshot = invocation.value('--snapshot');
  const image =
    name === undefined
      ? undefined
      : yield* host.openImage(name, { ...(format === undefined ? {} : { format }), ...(snapshot === undefined ? {} : { snapshot }) });
  const size = image?.size ?? parseSize(given ?? '', '--size', invocation);
  let measured = { required: Math.ceil(size / 512) * 512, fullyAllocated: Math.ceil(size / 512) * 512 };
  if (target === 'qcow2') {
    const { backingFile: _, backingFormat: __, dataFile: ___, dataFileRaw: ____, ...options } = parseCreationOptions(invocation);
    measured = yield* measureQcow2({ ...options, size }, image);
  } else if (target !== 'raw') throw new Unsupported(`measuring ${target}`);
  const { required, fullyAllocated } = measured;
  const bitmaps = target === 'qcow2' && image !== undefined ? measureBitmaps(image, parseCreationOptions(invocation)) : undefined;
  if (wantsJson(invocation)) {
    yield* printJson(output, { required, 'fully-allocated': fullyAllocated, ...(bitmaps === undefined ? {} : { bitmaps }) });
  } else {
    const more = bitmaps === undefined ? '' : `bitmaps size: ${bitmaps}\n`;
    yield* printText(output, `required size: ${required}\nfully allocated size: ${fullyAllocated}\n${more}`);
  }
  return 0;
};

/** Bytes for copies of an image's bitmaps, every one of them full; undefined where either side knows no bitmaps. */
function measureBitmaps(image: Image, options: CreationOptions): number | undefined {
  const { metadata } = image;
  const { clusterSize = 65536, version = 3 } = options;
  if (metadata === undefined || metadata.header.version === 2 || version === 2) return undefined;
  const ceil = (value: number, unit: number): number => Math.ceil(value / unit) * unit;
  let size = 0;
  let directory = 0;
  for (const { name, granularity, inUse } of metadata.bitmaps) {
    if (inUse) continue;
    const clusters = Math.ceil(Math.ceil(Math.ceil(image.size / granularity) / 8) / clusterSize);
    size += clusters * clusterSize + ceil(clusters * 8, clusterSize);
    directory += ceil(BITMAP.size + encodeName(name).length, 8);
  }
  return size + ceil(directory, clusterSize);
}

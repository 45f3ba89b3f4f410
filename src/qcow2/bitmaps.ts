/** Persistent dirty bitmaps: their directory (qcow2.rst, "Bitmaps extension"). They are listed, not used. */
import { decodeName } from '../bytes/text.ts';
import { Corrupt, type Warning, type Where } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { type ByteSource, readPadded } from '../io/source.ts';
import * as format from './format.ts';
import { type Header, isAligned } from './header.ts';

export interface Bitmap {
  readonly name: string;
  /** Bytes of the disk per bit. */
  readonly granularity: number;
  readonly inUse: boolean;
  readonly auto: boolean;
  readonly tableOffset: number;
  readonly tableEntries: number;
}

/** A bitmap's table may describe at most this many bytes of bitmap. */
const MAX_BITMAP_BYTES: number = 512 << 20;

/** Reads the bitmap directory. One that is damaged gives a warning and no bitmaps: they are not needed for reading. */
export function* readBitmaps(source: ByteSource, header: Header, where: Where, warnings: Warning[]): Io<readonly Bitmap[]> {
  if (header.bitmaps === undefined) return [];
  const { count, directoryOffset, directorySize } = header.bitmaps;
  try {
    if (directoryOffset + directorySize > source.size) throw new Corrupt('their directory runs past the end of the file', where);
    const directory = new Uint8Array(directorySize);
    yield* readPadded(source, directoryOffset, directory);
    return parseDirectory(directory, count, header.clusterSize, where);
  } catch (error) {
    if (!(error instanceof Corrupt)) throw error;
    warnings.push({ message: `the bitmaps are ignored: ${error.message}`, offset: directoryOffset });
    return [];
  }
}

function parseDirectory(directory: Uint8Array, count: number, clusterSize: number, where: Where): Bitmap[] {
  const bitmaps: Bitmap[] = [];
  let offset = 0;
  while (offset < directory.length) {
    const entry = format.BITMAP.read(directory, offset);
    const nameAt = offset + format.BITMAP.size + entry.extra_data_size;
    const end = nameAt + entry.name_size;
    const bits = entry.granularity_bits;
    const wrong =
      end > directory.length
        ? 'an entry leaves the directory'
        : entry.extra_data_size !== 0
          ? 'an entry has extra data'
          : (entry.flags & ~3) !== 0
            ? `unknown flags ${entry.flags}`
            : entry.type !== format.BITMAP_TRACKING
              ? `unknown type ${entry.type}`
              : bits < format.MIN_BITMAP_GRANULARITY_BITS || bits > format.MAX_BITMAP_GRANULARITY_BITS
                ? `a granularity of 2^${bits}`
                : entry.name_size === 0 || entry.name_size > 1023
                  ? `a name of ${entry.name_size} bytes`
                  : entry.bitmap_table_offset === 0 || !isAligned(entry.bitmap_table_offset, clusterSize)
                    ? 'a table that does not begin at a cluster'
                    : entry.bitmap_table_size === 0 || entry.bitmap_table_size * clusterSize > MAX_BITMAP_BYTES
                      ? `a table of ${entry.bitmap_table_size} entries`
                      : undefined;
    if (wrong !== undefined) throw new Corrupt(wrong, where);
    bitmaps.push({
      name: decodeName(directory.subarray(nameAt, end)),
      granularity: 2 ** bits,
      inUse: (entry.flags & format.BITMAP_IN_USE) !== 0,
      auto: (entry.flags & format.BITMAP_AUTO) !== 0,
      tableOffset: entry.bitmap_table_offset,
      tableEntries: entry.bitmap_table_size,
    });
    offset = Math.ceil(end / 8) * 8;
  }
  if (bitmaps.length !== count) throw new Corrupt(`${bitmaps.length} bitmaps instead of ${count}`, where);
  return bitmaps;
}

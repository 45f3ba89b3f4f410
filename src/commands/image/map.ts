/** `img map`: where the bytes of a disk are stored. */
import { Unsupported } from '../../errors.ts';
import { chainOf, type Image } from '../../image/image.ts';
import { eachExtent } from '../../image/information.ts';
import type { Extent } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import type { Run } from '../declaration.ts';
import { openNamedImage } from '../open-image.ts';
import { type Output, Printer } from '../output.ts';
import { shownName, wantsJson } from './document.ts';
import { hexadecimal, parseSize } from './numbers.ts';

/** `qemu-img map` writes one object to a line. */
interface Entry {
  readonly start: number;
  readonly length: number;
  readonly depth: number;
  readonly present: boolean;
  readonly zero: boolean;
  readonly data: boolean;
  readonly offset?: number;
}

/** Entries that are printed together; a range with more of them is described in parts. */
const PART: number = 1 << 30;

export const map: Run = function* (invocation, host, output): Io<number> {
  const size = (name: string): number | undefined => {
    const value = invocation.value(name);
    return value === undefined ? undefined : parseSize(value, name, invocation);
  };
  const start = size('--start-offset') ?? 0;
  const length = size('--max-length');
  const image = yield* openNamedImage(invocation, host);
  const end = Math.min(image.size, start + (length ?? image.size));
  const writer = wantsJson(invocation) ? new JsonMap(output) : new HumanMap(output, image);
  if (start >= end) yield* writer.add({ start, length: 0, depth: 0, present: false, zero: false, data: false });
  let pending: Entry | undefined;
  for (let at = start; at < end; at += PART) {
    const entries: Entry[] = [];
    yield* eachExtent(image, at, Math.min(PART, end - at), (from, extent) => entries.push(entryOf(from, extent)));
    for (const entry of entries) {
      if (pending !== undefined && continues(pending, entry)) pending = { ...pending, length: pending.length + entry.length };
      else {
        if (pending !== undefined) yield* writer.add(pending);
        pending = entry;
      }
    }
  }
  if (pending !== undefined) yield* writer.add(pending);
  yield* writer.end();
  return 0;
};

function entryOf(start: number, { length, depth, present, zero, data, offset }: Extent): Entry {
  return { start, length, depth, present, zero, data, ...(offset === undefined ? {} : { offset }) };
}

function continues(before: Entry, next: Entry): boolean {
  return (
    before.depth === next.depth &&
    before.present === next.present &&
    before.zero === next.zero &&
    before.data === next.data &&
    (before.offset === undefined ? next.offset === undefined : before.offset + before.length === next.offset)
  );
}

class JsonMap {
  readonly #printer: Printer;
  #first = true;

  constructor(output: Output) {
    this.#printer = new Printer(output);
  }

  *add(entry: Entry): Io<void> {
    this.#printer.text(`${this.#first ? '[' : ',\n'}${JSON.stringify(entry)}`);
    this.#first = false;
    yield* this.#printer.spill();
  }

  *end(): Io<void> {
    this.#printer.text(this.#first ? '[]\n' : ']\n');
    yield* this.#printer.flush();
  }
}

/** Only data with a place of its own is shown, with the file that holds it. */
class HumanMap {
  readonly #printer: Printer;
  readonly #files: readonly string[];

  constructor(output: Output, image: Image) {
    this.#printer = new Printer(output);
    this.#files = chainOf(image).map((layer) => shownName(output, layer.metadata?.header.dataFile?.name ?? layer.source.name));
    this.#row('Offset', 'Length', 'Mapped to', 'File');
  }

  *add(entry: Entry): Io<void> {
    if (!entry.data || entry.zero) return;
    if (entry.offset === undefined) {
      yield* this.#printer.flush();
      throw new Unsupported(
        'map of compressed clusters',
        'the image contains compressed clusters, which stand at no offset; --output=json shows them',
      );
    }
    this.#row(hexadecimal(entry.start), hexadecimal(entry.length), hexadecimal(entry.offset), this.#files[entry.depth] ?? '');
    yield* this.#printer.spill();
  }

  end(): Io<void> {
    return this.#printer.flush();
  }

  #row(offset: string, length: string, place: string, file: string): void {
    this.#printer.text(`${offset.padEnd(16)}${length.padEnd(16)}${place.padEnd(16)}${file}\n`);
  }
}

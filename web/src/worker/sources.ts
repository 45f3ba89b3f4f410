/** The files and addresses that an image is opened from, with a count of what is read of them. */
import type { Bytes } from '../../../src/bytes/struct.ts';
import { Refused } from '../../../src/errors.ts';
import { type Gate, resolveReference } from '../../../src/image/gate.ts';
import { describeImage } from '../../../src/image/information.ts';
import { type AbortSignalLike, type ByteSource, perform, Read } from '../../../src/io/index.ts';
import { BlobSource, openUrl, type UrlOptions } from '../../../src/platform/browser/index.ts';
import { run } from './driver.ts';

/** What was read since the worker began. */
export const traffic = { read: 0, requests: 0 };

/** A file that the image names and that nobody chose. */
export class MissingFile extends Refused {
  readonly missing: string;

  constructor(missing: string, from: string) {
    super(`it needs the file "${missing}", which was not chosen: choose it too, together with this one`, { image: from });
    this.missing = missing;
  }
}

class CountedBlob extends BlobSource {
  override readSync(offset: number, target: Bytes): number {
    return count(super.readSync(offset, target));
  }

  override async readAsync(offset: number, target: Bytes): Promise<number> {
    return count(await super.readAsync(offset, target));
  }
}

function count(bytes: number): number {
  traffic.read += bytes;
  traffic.requests++;
  return bytes;
}

/** A source of the network, counted. */
async function openCounted(url: string, options: UrlOptions): Promise<ByteSource> {
  const source = await openUrl(url, options);
  const { name, size, preferredRequest, identity, readSync } = source;
  traffic.requests++;
  return {
    ...(readSync === undefined ? {} : { readSync: (offset: number, target: Bytes) => count(readSync(offset, target)) }),
    name,
    size,
    preferredRequest,
    identity,
    readAsync: async (offset: number, target: Bytes, signal?: AbortSignalLike) => count(await source.readAsync(offset, target, signal)),
  };
}

function lastName(name: string): string {
  return name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
}

export interface Sources {
  readonly top: ByteSource;
  readonly gate: Gate;
}

/** Chosen files: the top is the one that no other names as its backing file or as the file of its data. */
export async function sourcesOfFiles(files: readonly File[]): Promise<Sources> {
  const sources = new Map(files.map((file) => [file.name, new CountedBlob(file)] as const));
  const named = new Set<string>();
  if (sources.size > 1) {
    for (const source of sources.values()) {
      for (const name of await namesIn(source)) named.add(lastName(name));
    }
  }
  const tops = [...sources.values()].filter((source) => !named.has(source.name));
  const top = tops[0] ?? sources.values().next().value;
  if (top === undefined) throw new Refused('no file was chosen');
  if (tops.length > 1) {
    const names = tops.map((source) => source.name).join(', ');
    throw new Refused(`these files do not belong together: ${names}; choose one image, and with it the files that it is based on`);
  }
  return {
    top,
    // biome-ignore lint/correctness/useYield: files that were chosen are at hand
    gate: function* (reference) {
      const wanted = lastName(resolveReference(reference).path);
      const source = sources.get(wanted);
      if (source === undefined) throw new MissingFile(wanted, reference.from.name);
      return source;
    },
  };
}

/** The paths of the files that an image names. */
async function namesIn(source: ByteSource): Promise<string[]> {
  try {
    const { backing, dataFile } = (await run(describeImage(source))).metadata?.header ?? {};
    const names: string[] = [];
    if (dataFile?.name !== undefined) names.push(resolveReference({ kind: 'data', name: dataFile.name, from: source, depth: 1 }).path);
    if (backing !== undefined) names.push(resolveReference({ kind: 'backing', name: backing.name, from: source, depth: 1 }).path);
    return names;
  } catch {
    // It is told when the image is opened.
    return [];
  }
}

/** An address: files that the image names have to stand in its own folder of the same server. */
export async function sourcesOfUrl(address: string, options: UrlOptions = {}): Promise<Sources> {
  let url: URL;
  try {
    url = new URL(address, self.location.href);
  } catch {
    throw new Refused(`"${address}" is no address; it begins with https:// or http://`);
  }
  const folder = new URL('.', url);
  return {
    top: await openCounted(url.href, options),
    gate: function* (reference) {
      const name = lastName(resolveReference(reference).path);
      return yield* perform<ByteSource>({
        waits: true,
        sync() {
          throw new Refused('the network cannot be waited for here');
        },
        async: () => openCounted(new URL(encodeURIComponent(name), folder).href, options),
      });
    },
  };
}

/** First bytes of what is compressed, or may have compressed parts: qcow2, gzip, xz, zstd, lz4. */
const PACKED: readonly (readonly number[])[] = [
  [0x51, 0x46, 0x49, 0xfb],
  [0x1f, 0x8b],
  [0xfd, 0x37, 0x7a],
  [0x28, 0xb5, 0x2f],
  [0x04, 0x22, 0x4d],
];

/** Whether reading an image is likely to need the decoders, which are a file of their own. */
export async function mayNeedDecoders(source: ByteSource): Promise<boolean> {
  const head = new Uint8Array(4);
  await run(perform(new Read(source, 0, head)));
  return PACKED.some((magic) => magic.every((byte, i) => head[i] === byte));
}

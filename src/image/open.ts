/** Opening an image and what is below it. */
import type { Codecs } from '../codec/codecs.ts';
import { Corrupt, Refused, Unsupported, type Warning } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import type { ByteSource, WritableSource } from '../io/source.ts';
import { Qcow2Device, type Qcow2Options } from '../qcow2/device.ts';
import { type Metadata, readMetadata } from '../qcow2/metadata.ts';
import { decompressToScratch } from './compressed.ts';
import { denyGate, type Gate } from './gate.ts';
import type { Image } from './image.ts';
import { resolveBackingName } from './names.ts';
import { type Probed, probe } from './probe.ts';
import { RawImage } from './raw.ts';

export interface OpenOptions {
  /** `raw` or `qcow2`; without it the format is told by magic numbers. */
  readonly format?: string;
  /** Opens the files that the image names; without it none is opened. */
  readonly gate?: Gate;
  readonly codecs: Codecs;
  /** Shows the disk as it was in this internal snapshot, by id or else by name. */
  readonly snapshot?: string;
  /**
   * Treats a backing file for which no format is declared by its magic number. Off by default: the guest of a raw disk can write
   * such a magic number, and thereby name files of the host.
   */
  readonly probeBacking?: boolean;
  /** Does not open backing files: what they would show reads as zeros. */
  readonly withoutBacking?: boolean;
  /** Images in a chain; 64 unless told otherwise. */
  readonly maxDepth?: number;
  /** A place for the contents of a compressed raw image; `sizeHint` is what is known of its length, in bytes. */
  readonly scratch?: (sizeHint: number | undefined) => Io<WritableSource>;
  /** Bytes that a compressed raw image may have when decompressed; 2 TiB unless told otherwise. */
  readonly maxDecompressed?: number;
}

/** How deep chains may be by default. */
export const MAX_CHAIN_DEPTH = 64;
const MAX_DECOMPRESSED: number = 2 ** 41;

/**
 * Opens an image with the chain below it.
 *
 * Throws Unsupported for formats that are only recognised; Refused for files that the gate does not admit; Corrupt for images that
 * break the rules of their format, and for chains that lead back into themselves. Files opened on the way are closed when it throws;
 * `source` is not.
 */
export function openImage(source: ByteSource, options: OpenOptions): Io<Image> {
  return openLayer(source, options.format, options, { depth: 0, above: [] });
}

interface Position {
  readonly depth: number;
  readonly above: readonly ByteSource[];
}

function* openLayer(source: ByteSource, format: string | undefined, options: OpenOptions, position: Position): Io<Image> {
  const kind = yield* formatOf(source, format);
  switch (kind.kind) {
    case 'raw':
      if (options.snapshot !== undefined && position.depth === 0) {
        throw new Unsupported('snapshots of raw images', 'a raw image has no snapshots', { image: source.name });
      }
      return new RawImage(source);
    case 'qcow2':
      return yield* openQcow2(source, options, position);
    case 'compressed': {
      const scratch = options.scratch;
      if (scratch === undefined) {
        throw new Refused(
          `the image is compressed with ${kind.compression} and needs temporary storage to be read: give the option scratch`,
          {
            image: source.name,
          },
        );
      }
      return yield* decompressToScratch(source, kind.compression, options.codecs, scratch, options.maxDecompressed ?? MAX_DECOMPRESSED);
    }
    case 'unsupported':
      throw new Unsupported(`disk format ${kind.format}`, undefined, { image: source.name });
  }
}

function* formatOf(source: ByteSource, format: string | undefined): Io<Probed> {
  switch (format) {
    case undefined:
      return yield* probe(source);
    case 'raw':
    case 'file':
      return { kind: 'raw' };
    case 'qcow2':
      return { kind: 'qcow2' };
    case 'gzip':
    case 'zstd':
    case 'lz4':
    case 'xz':
      return { kind: 'compressed', compression: format };
    default:
      return { kind: 'unsupported', format };
  }
}

/** A qcow2 file as an image. */
class Qcow2Image extends Qcow2Device implements Image {
  readonly format = 'qcow2';
  declare readonly backing: Image | undefined;
  readonly warnings: readonly Warning[];
  readonly #dataFile: ByteSource | undefined;

  constructor(metadata: Metadata, options: Qcow2Options, warnings: readonly Warning[]) {
    super(metadata, options);
    this.warnings = warnings;
    this.#dataFile = options.dataFile;
  }

  get source(): ByteSource {
    return this.metadata.source;
  }

  close(): void {
    this.backing?.close();
    this.#dataFile?.close?.();
    this.source.close?.();
  }
}

function* openQcow2(source: ByteSource, options: OpenOptions, position: Position): Io<Image> {
  const metadata = yield* readMetadata(source);
  const { header } = metadata;
  const gate = options.gate ?? denyGate;
  const warnings: Warning[] = [...metadata.warnings];
  const here: Position = { depth: position.depth + 1, above: [...position.above, source] };
  const opened: { close?(): void }[] = [];
  try {
    let dataFile: ByteSource | undefined;
    if (header.dataFile !== undefined) {
      const { name } = header.dataFile;
      if (name === undefined) throw new Corrupt('the image needs an external data file, but does not name it', metadata.where);
      dataFile = yield* gate({ kind: 'data', name, format: 'raw', from: source, depth: here.depth });
      opened.push(dataFile);
      refuseLoop(dataFile, here.above);
    }
    const backing = yield* openBacking(metadata, options, here, opened, warnings);
    return new Qcow2Image(
      metadata,
      {
        codecs: options.codecs,
        ...(backing === undefined ? {} : { backing }),
        ...(dataFile === undefined ? {} : { dataFile }),
        ...(options.snapshot !== undefined && position.depth === 0 ? { snapshot: options.snapshot } : {}),
      },
      warnings,
    );
  } catch (error) {
    for (const file of opened) file.close?.();
    throw error;
  }
}

function* openBacking(
  metadata: Metadata,
  options: OpenOptions,
  here: Position,
  opened: { close?(): void }[],
  warnings: Warning[],
): Io<Image | undefined> {
  const { header, source, where } = metadata;
  if (header.backing === undefined || options.withoutBacking === true) return undefined;
  const { name } = header.backing;
  const limit = options.maxDepth ?? MAX_CHAIN_DEPTH;
  if (here.depth >= limit) throw new Refused(`the chain of backing files is longer than ${limit}`, where);
  let format = header.backing.format;
  // A json: name tells the driver of the file.
  if (format === undefined && name.startsWith('json:')) format = resolveBackingName(name, source.name, where).format;
  if (format === undefined && options.probeBacking !== true) {
    warnings.push({ message: `the format of backing file "${name}" is not declared: it is taken as raw, never guessed` });
    format = 'raw';
  }
  const file = yield* (options.gate ?? denyGate)({
    kind: 'backing',
    name,
    ...(format === undefined ? {} : { format }),
    from: source,
    depth: here.depth,
  });
  opened.push(file);
  refuseLoop(file, here.above);
  const backing = yield* openLayer(file, format, options, here);
  opened.push(backing);
  return backing;
}

/** A file may stand only once in a chain. */
function refuseLoop(file: ByteSource, above: readonly ByteSource[]): void {
  const again = above.find((source) => source === file || (source.identity !== undefined && source.identity === file.identity));
  if (again !== undefined) throw new Corrupt(`the chain of backing files leads back to ${again.name}`, { image: file.name });
}

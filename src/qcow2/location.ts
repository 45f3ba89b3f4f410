/** Where bytes of a disk stand in the files below it: what bulk copying needs to read and decompress many places at once. */
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/codecs.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import type { ByteSource } from '../io/source.ts';

/** A compressed cluster in its file; plain data, so that it can be sent to a worker (without `source`). */
export interface CompressedCluster {
  /** First byte in the file. */
  readonly offset: number;
  /** Bytes to read from there, with zeros beyond the end of the file; the stream itself may be shorter. */
  readonly compressedLength: number;
  readonly compression: 'zlib' | 'zstd';
  /** Bytes that come out. */
  readonly clusterSize: number;
}

/** How a run of bytes can be had; `length` is in bytes from the asked offset onward. */
export type Location =
  /** The bytes are zeros. */
  | { readonly kind: 'zero'; readonly length: number }
  /** The bytes stand in `source` at `offset`; what lies beyond its end reads as zeros. */
  | { readonly kind: 'plain'; readonly length: number; readonly source: ByteSource; readonly offset: number }
  /** The bytes are those of a decompressed cluster from `within` onward; never more than one cluster. */
  | ({ readonly kind: 'compressed'; readonly length: number; readonly source: ByteSource; readonly within: number } & CompressedCluster);

/** A device that can tell where its bytes stand: an image, with all that is below it. */
export interface Layer extends BlockDevice {
  /** How the run that begins at `offset` can be had. Reads tables, no data. */
  locate(offset: number, length: number): Io<Location>;
}

/** Decompresses one cluster: `input` holds its `compressedLength` bytes, `target` has `clusterSize`. Throws Corrupt. */
export function decompressCluster(codecs: Codecs, cluster: Pick<CompressedCluster, 'compression'>, input: Bytes, target: Bytes): void {
  if (cluster.compression === 'zstd') codecs.zstdDecompress(input, target);
  else codecs.inflateRaw(input, target);
}

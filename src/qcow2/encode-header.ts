/** Writing the header of a qcow2 file with its extensions: the counterpart of `header.ts`. */
import type { Bytes } from '../bytes/struct.ts';
import { encodeName } from '../bytes/text.ts';
import { Refused, type Where } from '../errors.ts';
import * as format from './format.ts';
import type { Extension, Header } from './header.ts';

/** What has to be known of a header to write it; names as in {@link Header}. */
export type HeaderContents = Pick<
  Header,
  | 'version'
  | 'clusterBits'
  | 'clusterSize'
  | 'storedSize'
  | 'encryption'
  | 'l1Entries'
  | 'l1Offset'
  | 'refcountTableOffset'
  | 'refcountTableClusters'
  | 'refcountOrder'
  | 'snapshotCount'
  | 'snapshotsOffset'
  | 'compression'
  | 'incompatibleFeatures'
  | 'compatibleFeatures'
  | 'autoclearFeatures'
  | 'unknownFields'
  | 'extensions'
  | 'backing'
  | 'dataFile'
>;

/** Bytes of the fixed fields that are written: those of version 3 with the compression type, padded to 8. */
const HEADER_LENGTH = 112;

const FEATURE_NAMES: readonly (readonly [number, number, string])[] = [
  [0, 0, 'dirty bit'],
  [0, 1, 'corrupt bit'],
  [0, 2, 'external data file'],
  [0, 3, 'compression type'],
  [0, 4, 'extended L2 entries'],
  [1, 0, 'lazy refcounts'],
  [2, 0, 'bitmaps'],
  [2, 1, 'raw external data'],
];

function featureNameTable(): Extension {
  const data = new Uint8Array(FEATURE_NAMES.length * format.FEATURE_NAME.size);
  for (const [i, [type, bit, text]] of FEATURE_NAMES.entries()) {
    const name = new Uint8Array(46);
    name.set(encodeName(text));
    format.FEATURE_NAME.write(data, i * format.FEATURE_NAME.size, { type, bit, name });
  }
  return { type: format.EXTENSION_FEATURE_NAMES, data };
}

/** The fixed fields of both versions, into `bytes` from its beginning. */
export function encodeFixedFields(header: HeaderContents, bytes: Bytes): void {
  format.HEADER.write(bytes, 0, {
    magic: format.MAGIC,
    version: header.version,
    cluster_bits: header.clusterBits,
    size: header.storedSize,
    crypt_method: { none: format.CRYPT_NONE, aes: format.CRYPT_AES, luks: format.CRYPT_LUKS }[header.encryption],
    l1_size: header.l1Entries,
    l1_table_offset: header.l1Offset,
    refcount_table_offset: header.refcountTableOffset,
    refcount_table_clusters: header.refcountTableClusters,
    nb_snapshots: header.snapshotCount,
    snapshots_offset: header.snapshotsOffset,
  });
  if (header.version === 2) return;
  format.HEADER_V3.write(bytes, 0, {
    incompatible_features: header.incompatibleFeatures,
    compatible_features: header.compatibleFeatures,
    autoclear_features: header.autoclearFeatures,
    refcount_order: header.refcountOrder,
  });
}

/**
 * The first cluster. Extensions stand in the order in which QEMU writes them; those that are unknown here are kept. The table of feature
 * names is renewed, and left out where there is no room. Throws Refused when the rest does not fit.
 */
export function encodeHeader(header: HeaderContents, where: Where): Bytes {
  const names = header.version === 3 && header.clusterSize > 4096 ? [featureNameTable()] : [];
  return layOut(header, names) ?? layOut(header, []) ?? tooLong(where);
}

function tooLong(where: Where): never {
  throw new Refused("the header does not fit into the first cluster: the backing file's name is too long", where);
}

function layOut(header: HeaderContents, featureNames: readonly Extension[]): Bytes | undefined {
  const { version, clusterSize, backing, dataFile } = header;
  const length = version === 2 ? format.HEADER.size : HEADER_LENGTH + header.unknownFields.length;
  const known = new Map(header.extensions.map((extension) => [extension.type, extension.data]));
  const extensions: Extension[] = [];
  const add = (type: number, data: Bytes | undefined): void => {
    if (data !== undefined) extensions.push({ type, data });
    known.delete(type);
  };
  add(format.EXTENSION_BACKING_FORMAT, backing?.format === undefined ? undefined : encodeName(backing.format));
  add(format.EXTENSION_DATA_FILE, dataFile?.name === undefined ? undefined : encodeName(dataFile.name));
  add(format.EXTENSION_ENCRYPTION, known.get(format.EXTENSION_ENCRYPTION));
  add(format.EXTENSION_FEATURE_NAMES, featureNames[0]?.data);
  add(format.EXTENSION_BITMAPS, known.get(format.EXTENSION_BITMAPS));
  for (const [type, data] of known) add(type, data);
  extensions.push({ type: format.EXTENSION_END, data: new Uint8Array(0) });

  const name = backing === undefined ? new Uint8Array(0) : encodeName(backing.name);
  const padded = (size: number): number => Math.ceil(size / 8) * 8;
  const end = extensions.reduce((at, { data }) => at + format.EXTENSION.size + padded(data.length), length);
  if (end + name.length > clusterSize) return undefined;
  const bytes = new Uint8Array(clusterSize);
  encodeFixedFields(header, bytes);
  if (version === 3) {
    format.HEADER_V3.write(bytes, 0, { header_length: length });
    bytes[format.COMPRESSION_TYPE_OFFSET] = header.compression === 'zstd' ? 1 : 0;
    bytes.set(header.unknownFields, HEADER_LENGTH);
  }
  let at = length;
  for (const { type, data } of extensions) {
    format.EXTENSION.write(bytes, at, { type, length: data.length });
    bytes.set(data, at + format.EXTENSION.size);
    at += format.EXTENSION.size + padded(data.length);
  }
  if (name.length > 0) {
    format.HEADER.write(bytes, 0, { backing_file_offset: at, backing_file_size: name.length });
    bytes.set(name, at);
  }
  return bytes;
}

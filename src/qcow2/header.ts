/** The header of a qcow2 file with its extensions, read into a record in which nothing contradicts itself any more. */
import type { Bytes } from '../bytes/struct.ts';
import { decodeName, untilNul } from '../bytes/text.ts';
import { Corrupt, Unsupported, type Warning, type Where } from '../errors.ts';
import * as format from './format.ts';

/** A header extension as it stands in the file; unknown ones have to survive a rewrite of the header. */
export interface Extension {
  readonly type: number;
  readonly data: Bytes;
}

export interface FeatureName {
  readonly type: 'incompatible' | 'compatible' | 'autoclear';
  readonly bit: number;
  readonly name: string;
}

/** A checked header. Offsets and sizes are in bytes unless said otherwise. */
export interface Header {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  readonly clusterSize: number;
  /** Virtual size as stored. */
  readonly storedSize: number;
  /** Virtual size as it is read: floored to 512, as QEMU does. */
  readonly size: number;
  readonly encryption: 'none' | 'aes' | 'luks';
  readonly l1Entries: number;
  readonly l1Offset: number;
  readonly refcountTableOffset: number;
  readonly refcountTableClusters: number;
  /** log2 of the bits of a refcount. */
  readonly refcountOrder: number;
  readonly snapshotCount: number;
  readonly snapshotsOffset: number;
  readonly dirty: boolean;
  readonly corrupt: boolean;
  readonly extendedL2: boolean;
  readonly lazyRefcounts: boolean;
  readonly compression: 'zlib' | 'zstd';
  readonly incompatibleFeatures: bigint;
  readonly compatibleFeatures: bigint;
  readonly autoclearFeatures: bigint;
  /** Bytes of fixed fields: 72 in version 2. */
  readonly headerLength: number;
  /** Fields beyond those known here, up to `headerLength`. */
  readonly unknownFields: Bytes;
  readonly extensions: readonly Extension[];
  readonly featureNames: readonly FeatureName[];
  readonly backing?: { readonly name: string; readonly format?: string };
  /** An external data file holds the guest's bytes; its name may be missing. */
  readonly dataFile?: { readonly name?: string; readonly raw: boolean };
  readonly bitmaps?: { readonly count: number; readonly directoryOffset: number; readonly directorySize: number };
  /** Where the LUKS header stands. */
  readonly luks?: { readonly offset: number; readonly length: number };
}

/** Whether bytes begin like a qcow2 file (of any version: 1 is the older, unrelated format). */
export function hasMagic(head: Bytes): boolean {
  return (
    head.length >= 8 && format.HEADER.fields.magic.get(new DataView(head.buffer, head.byteOffset, head.byteLength), 0) === format.MAGIC
  );
}

/** Whether an offset is a multiple of the cluster size; without bit operations, as offsets exceed 32 bits. */
export function isAligned(offset: number, clusterSize: number): boolean {
  return offset % clusterSize === 0;
}

/** Bytes that one L1 entry stands for. */
export function bytesPerL2Table(header: Pick<Header, 'clusterSize' | 'extendedL2'>): number {
  return header.clusterSize * (header.clusterSize / (header.extendedL2 ? 16 : 8));
}

/**
 * Decodes and checks the header. `head` holds the first cluster (zeros beyond the end of the file), or at least 64 KiB less what
 * extensions do not use.
 *
 * Throws Unsupported for versions, clusters, features and encryption that are unknown, by name; Corrupt for everything else that
 * QEMU refuses to open.
 */
export function parseHeader(head: Bytes, where: Where, warnings: Warning[]): Header {
  const at = (offset: number): Where => ({ ...where, offset });
  if (head.length < format.HEADER.size) throw new Corrupt('the file ends inside of its qcow2 header', where);
  if (!hasMagic(head)) throw new Corrupt('not a qcow2 image: the magic number is missing', where);
  const version = format.HEADER.fields.version.get(new DataView(head.buffer, head.byteOffset, head.byteLength), 4);
  if (version !== 2 && version !== 3) throw new Unsupported(`qcow2 version ${version}`, undefined, where);
  const fixed = format.HEADER.read(head);
  const clusterBits = fixed.cluster_bits;
  if (clusterBits < format.MIN_CLUSTER_BITS || clusterBits > format.MAX_CLUSTER_BITS) {
    throw new Unsupported(`cluster size 2^${clusterBits}`, `a qcow2 cluster size of 2^${clusterBits} bytes is not supported`, at(20));
  }
  const clusterSize = 2 ** clusterBits;
  const added = version === 3 ? format.HEADER_V3.read(head) : undefined;
  const headerLength = added?.header_length ?? format.HEADER.size;
  if (added !== undefined) {
    if (headerLength < 104) throw new Corrupt(`the header length ${headerLength} is too short`, at(100));
    if (headerLength > clusterSize) throw new Corrupt(`the header length ${headerLength} exceeds a cluster`, at(100));
    if (headerLength % 8 !== 0) throw new Corrupt(`the header length ${headerLength} is no multiple of 8`, at(100));
  }
  const backingOffset = fixed.backing_file_offset;
  if (backingOffset > clusterSize) throw new Corrupt(`the backing file's name is at ${backingOffset}, outside of the first cluster`, at(8));
  if (backingOffset > 0 && backingOffset < headerLength) throw new Corrupt(`the backing file's name stands inside of the header`, at(8));
  const end = backingOffset > 0 ? backingOffset : clusterSize;
  const extensions = parseExtensions(head, headerLength, end, where);
  const featureNames = parseFeatureNames(extensions);

  const incompatible = added?.incompatible_features ?? 0n;
  refuseUnknownFeatures(incompatible & ~format.INCOMPATIBLE_KNOWN, featureNames, at(72));
  const has = (flag: bigint): boolean => (incompatible & flag) !== 0n;
  const extendedL2 = has(format.INCOMPATIBLE_EXTENDED_L2);
  if (extendedL2 && clusterBits < format.MIN_CLUSTER_BITS_EXTENDED_L2) {
    throw new Corrupt(`extended L2 entries need clusters of 16 KiB, not ${clusterSize} bytes`, at(20));
  }
  const compressionType = headerLength > format.COMPRESSION_TYPE_OFFSET ? (head[format.COMPRESSION_TYPE_OFFSET] ?? 0) : 0;
  if (compressionType > 1) throw new Unsupported(`qcow2 compression type ${compressionType}`, undefined, at(104));
  if ((compressionType !== 0) !== has(format.INCOMPATIBLE_COMPRESSION)) {
    throw new Corrupt(`compression type ${compressionType} and the compression feature bit contradict each other`, at(104));
  }
  if (fixed.crypt_method > format.CRYPT_LUKS) throw new Unsupported(`qcow2 encryption method ${fixed.crypt_method}`, undefined, at(32));
  const refcountOrder = added?.refcount_order ?? 4;
  if (refcountOrder > format.MAX_REFCOUNT_ORDER) throw new Corrupt(`a refcount of 2^${refcountOrder} bits`, at(96));

  checkTables(fixed, clusterSize, extendedL2, at, warnings);
  const luks = parseEncryption(extensions, fixed.crypt_method, clusterSize, where);
  const backing = parseBacking(head, backingOffset, fixed.backing_file_size, clusterSize, extensions, at);
  const dataFile = parseDataFile(extensions, incompatible, added?.autoclear_features ?? 0n, backing !== undefined, where, warnings);
  const bitmaps = parseBitmapsExtension(extensions, added?.autoclear_features ?? 0n, clusterSize, warnings);
  if (fixed.size % format.SECTOR !== 0) {
    warnings.push({ message: `the virtual size ${fixed.size} is no multiple of 512: its end cannot be reached`, offset: 24 });
  }
  return {
    version,
    clusterBits,
    clusterSize,
    storedSize: fixed.size,
    size: fixed.size - (fixed.size % format.SECTOR),
    encryption: (['none', 'aes', 'luks'] as const)[fixed.crypt_method] ?? 'none',
    l1Entries: fixed.l1_size,
    l1Offset: fixed.l1_table_offset,
    refcountTableOffset: fixed.refcount_table_offset,
    refcountTableClusters: fixed.refcount_table_clusters,
    refcountOrder,
    snapshotCount: fixed.nb_snapshots,
    snapshotsOffset: fixed.snapshots_offset,
    dirty: has(format.INCOMPATIBLE_DIRTY),
    corrupt: has(format.INCOMPATIBLE_CORRUPT),
    extendedL2,
    lazyRefcounts: ((added?.compatible_features ?? 0n) & format.COMPATIBLE_LAZY_REFCOUNTS) !== 0n,
    compression: compressionType === 1 ? 'zstd' : 'zlib',
    incompatibleFeatures: incompatible,
    compatibleFeatures: added?.compatible_features ?? 0n,
    autoclearFeatures: added?.autoclear_features ?? 0n,
    headerLength,
    unknownFields: head.slice(Math.min(headerLength, 112), headerLength),
    extensions,
    featureNames,
    ...(backing === undefined ? {} : { backing }),
    ...(dataFile === undefined ? {} : { dataFile }),
    ...(bitmaps === undefined ? {} : { bitmaps }),
    ...(luks === undefined ? {} : { luks }),
  };
}

function parseExtensions(head: Bytes, start: number, end: number, where: Where): Extension[] {
  const extensions: Extension[] = [];
  const seen = new Set<number>();
  for (let offset = start; offset + format.EXTENSION.size <= end; ) {
    if (offset + format.EXTENSION.size > head.length) break;
    const { type, length } = format.EXTENSION.read(head, offset);
    if (type === format.EXTENSION_END) break;
    const data = offset + format.EXTENSION.size;
    if (length > end - data)
      throw new Corrupt(`header extension 0x${type.toString(16)} of ${length} bytes is too large`, { ...where, offset });
    if (data + length > head.length) throw new Corrupt(`header extension 0x${type.toString(16)} lies too far behind`, { ...where, offset });
    if (seen.has(type)) throw new Corrupt(`header extension 0x${type.toString(16)} stands there twice`, { ...where, offset });
    seen.add(type);
    extensions.push({ type, data: head.slice(data, data + length) });
    offset = data + Math.ceil(length / 8) * 8;
  }
  return extensions;
}

function extensionOf(extensions: readonly Extension[], type: number): Bytes | undefined {
  return extensions.find((extension) => extension.type === type)?.data;
}

function parseFeatureNames(extensions: readonly Extension[]): FeatureName[] {
  const table = extensionOf(extensions, format.EXTENSION_FEATURE_NAMES);
  if (table === undefined) return [];
  const names: FeatureName[] = [];
  for (let offset = 0; offset + format.FEATURE_NAME.size <= table.length; offset += format.FEATURE_NAME.size) {
    const { type, bit, name } = format.FEATURE_NAME.read(table, offset);
    const kind = (['incompatible', 'compatible', 'autoclear'] as const)[type];
    if (kind !== undefined) names.push({ type: kind, bit, name: decodeName(untilNul(name)) });
  }
  return names;
}

function refuseUnknownFeatures(unknown: bigint, names: readonly FeatureName[], where: Where): void {
  if (unknown === 0n) return;
  const features: string[] = [];
  for (let bit = 0; bit < 64; bit++) {
    if (((unknown >> BigInt(bit)) & 1n) === 0n) continue;
    const known = names.find((name) => name.type === 'incompatible' && name.bit === bit);
    features.push(known === undefined || known.name === '' ? `incompatible feature bit ${bit}` : known.name);
  }
  throw new Unsupported(features.join(', '), `unsupported qcow2 feature(s): ${features.join(', ')}`, where);
}

function checkTables(
  fixed: {
    [K in
      | 'size'
      | 'l1_size'
      | 'l1_table_offset'
      | 'refcount_table_offset'
      | 'refcount_table_clusters'
      | 'nb_snapshots'
      | 'snapshots_offset']: number;
  },
  clusterSize: number,
  extendedL2: boolean,
  at: (offset: number) => Where,
  warnings: Warning[],
): void {
  if (fixed.refcount_table_clusters === 0) warnings.push({ message: 'the image has no refcount table', offset: 56 });
  if (fixed.refcount_table_clusters * clusterSize > format.MAX_REFCOUNT_TABLE_BYTES) {
    throw new Corrupt(`a refcount table of ${fixed.refcount_table_clusters} clusters is too large`, at(56));
  }
  if (!isAligned(fixed.refcount_table_offset, clusterSize)) throw new Corrupt('the refcount table does not begin at a cluster', at(48));
  if (fixed.nb_snapshots > format.MAX_SNAPSHOTS) throw new Corrupt(`${fixed.nb_snapshots} snapshots are too many`, at(60));
  if (!isAligned(fixed.snapshots_offset, clusterSize)) throw new Corrupt('the snapshot table does not begin at a cluster', at(64));
  if (fixed.l1_size * 8 > format.MAX_L1_BYTES) throw new Corrupt(`an L1 table of ${fixed.l1_size} entries is too large`, at(36));
  if (!isAligned(fixed.l1_table_offset, clusterSize)) throw new Corrupt('the L1 table does not begin at a cluster', at(40));
  const needed = Math.ceil(fixed.size / bytesPerL2Table({ clusterSize, extendedL2 }));
  if (fixed.l1_size < needed) {
    throw new Corrupt(`an L1 table of ${fixed.l1_size} entries is too small for ${fixed.size} bytes, which need ${needed}`, at(36));
  }
  if (fixed.l1_size > 0 && fixed.l1_table_offset === 0) throw new Corrupt('the L1 table lies on the header', at(40));
}

function parseBacking(
  head: Bytes,
  offset: number,
  length: number,
  clusterSize: number,
  extensions: readonly Extension[],
  at: (offset: number) => Where,
): { name: string; format?: string } | undefined {
  if (offset === 0) return undefined;
  if (length > Math.min(format.MAX_BACKING_NAME, clusterSize - offset) || offset + length > head.length) {
    throw new Corrupt(`a backing file name of ${length} bytes is too long`, at(16));
  }
  const name = decodeName(untilNul(head.subarray(offset, offset + length)));
  if (name === '') return undefined;
  const given = extensionOf(extensions, format.EXTENSION_BACKING_FORMAT);
  if (given !== undefined && given.length > format.MAX_FORMAT_NAME) {
    throw new Corrupt(`a backing file format of ${given.length} bytes is too long`, at(8));
  }
  return given === undefined ? { name } : { name, format: decodeName(untilNul(given)) };
}

function parseDataFile(
  extensions: readonly Extension[],
  incompatible: bigint,
  autoclear: bigint,
  backed: boolean,
  where: Where,
  warnings: Warning[],
): { name?: string; raw: boolean } | undefined {
  const raw = (autoclear & format.AUTOCLEAR_DATA_FILE_RAW) !== 0n;
  if ((incompatible & format.INCOMPATIBLE_DATA_FILE) === 0n) {
    if (raw) throw new Corrupt('the image says that its data file is raw, but has no data file', where);
    return undefined;
  }
  if (raw && backed) throw new Corrupt('a raw data file and a backing file exclude each other', where);
  const name = extensionOf(extensions, format.EXTENSION_DATA_FILE);
  if (name === undefined) {
    warnings.push({ message: 'the image needs an external data file, but does not name it' });
    return { raw };
  }
  if (name.length > format.MAX_DATA_FILE_NAME) throw new Corrupt(`a data file name of ${name.length} bytes is too long`, where);
  return { name: decodeName(untilNul(name)), raw };
}

function parseBitmapsExtension(
  extensions: readonly Extension[],
  autoclear: bigint,
  clusterSize: number,
  warnings: Warning[],
): Header['bitmaps'] {
  const data = extensionOf(extensions, format.EXTENSION_BITMAPS);
  if (data === undefined) return undefined;
  if ((autoclear & format.AUTOCLEAR_BITMAPS) === 0n) {
    warnings.push({ message: 'a program that knows no bitmaps modified this image: its bitmaps are ignored' });
    return undefined;
  }
  const complain = (why: string): undefined => {
    warnings.push({ message: `the bitmaps are ignored: ${why}` });
    return undefined;
  };
  if (data.length !== format.BITMAPS_EXTENSION.size) return complain(`their header extension has ${data.length} bytes`);
  const fields = format.BITMAPS_EXTENSION.read(data);
  if (fields.reserved !== 0) return complain('a reserved field is not zero');
  if (fields.nb_bitmaps === 0 || fields.nb_bitmaps > format.MAX_BITMAPS) return complain(`there are ${fields.nb_bitmaps} of them`);
  if (!isAligned(fields.bitmap_directory_offset, clusterSize)) return complain('their directory does not begin at a cluster');
  if (fields.bitmap_directory_size === 0 || fields.bitmap_directory_size > format.MAX_BITMAP_DIRECTORY_BYTES) {
    return complain(`their directory has ${fields.bitmap_directory_size} bytes`);
  }
  return { count: fields.nb_bitmaps, directoryOffset: fields.bitmap_directory_offset, directorySize: fields.bitmap_directory_size };
}

function parseEncryption(extensions: readonly Extension[], method: number, clusterSize: number, where: Where): Header['luks'] {
  const data = extensionOf(extensions, format.EXTENSION_ENCRYPTION);
  if (method !== format.CRYPT_LUKS) {
    if (data !== undefined) throw new Corrupt('an encryption header, but no LUKS encryption', where);
    return undefined;
  }
  if (data === undefined) throw new Corrupt('LUKS encryption without an encryption header', where);
  if (data.length !== format.ENCRYPTION_EXTENSION.size) throw new Corrupt(`an encryption header pointer of ${data.length} bytes`, where);
  const { offset, length } = format.ENCRYPTION_EXTENSION.read(data);
  if (!isAligned(offset, clusterSize) || offset === 0)
    throw new Corrupt(`the encryption header at ${offset} does not begin at a cluster`, where);
  if (length > format.MAX_ENCRYPTION_HEADER_BYTES) throw new Corrupt(`an encryption header of ${length} bytes is too large`, where);
  return { offset, length };
}

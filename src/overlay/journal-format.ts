/**
 * The journal file of a commit: what is to be written into an image's file, complete before the first byte is.
 *
 * Layout: a header of 4096 bytes, a table of records, and the data of the records one after the other. All numbers are little-endian.
 * The header is written last; a file without a valid one is a commit that never began.
 */
import { crc32 } from '../bytes/crc32.ts';
import { type Bytes, type Decoded, type Field, le, raw, type Struct, struct } from '../bytes/struct.ts';
import { encodeName, latin1, untilNul } from '../bytes/text.ts';

/** "GUESTLSJ" */
export const JOURNAL_MAGIC = 0x4a534c5453455547n;
export const JOURNAL_VERSION = 2;
/** Bytes of the header, and what its checksum covers. */
export const JOURNAL_HEADER_SIZE = 4096;
/** Longest identity of a file, in bytes of UTF-8. */
const IDENTITY_SIZE = 256;
/** Records hold at most this many bytes of data, so that they pass through memory one by one. */
export const MAX_RECORD_DATA: number = 1 << 20;
/** More than 16 TiB of changes in one commit are refused. */
export const MAX_RECORDS: number = 1 << 24;

export const JOURNAL_HEADER: Struct<
  { magic: Field<bigint>; identity: Field<Bytes> } & Record<
    'version' | 'recordCount' | 'tableChecksum' | 'checksum' | 'imageSize' | 'oldSize' | 'state',
    Field<number>
  >
> = struct('journal header', JOURNAL_HEADER_SIZE, {
  magic: le.u64bits(0),
  version: le.u32(8),
  recordCount: le.u32(12),
  /** Length of the image's file afterwards. */
  imageSize: le.u64(16),
  /** CRC-32C of the table. */
  tableChecksum: le.u32(24),
  /** CRC-32C of the header with this field 0. */
  checksum: le.u32(28),
  /** The file that the journal is for, as the platform names it. */
  identity: raw(32, IDENTITY_SIZE),
  /** Length of the image's file before. */
  oldSize: le.u64(288),
  /** {@link STATE_FILLING} or {@link STATE_COMPLETE}. */
  state: le.u32(296),
});
export type JournalHeader = Decoded<typeof JOURNAL_HEADER>;

/** Blank runs are being filled: they become blank again when this goes no further. */
export const STATE_FILLING = 1;
/** What is left to be done stands in the journal. */
export const STATE_COMPLETE = 2;

export const RECORD_DATA = 1;
export const RECORD_ZERO = 2;
/** Data that go where only zeros stood, or nothing; they are not in the journal. */
export const RECORD_BLANK = 3;

/** One run of the image's file. Data of records stand in the journal in their order. */
export const JOURNAL_RECORD: Struct<Record<'offset' | 'length' | 'kind' | 'checksum', Field<number>>> = struct('journal record', 24, {
  offset: le.u64(0),
  length: le.u64(8),
  kind: le.u32(16),
  /** CRC-32 of the data; 0 for records without any in the journal. */
  checksum: le.u32(20),
});
export type JournalRecord = Decoded<typeof JOURNAL_RECORD>;

export function encodeTable(records: readonly JournalRecord[]): Bytes {
  const table = new Uint8Array(records.length * JOURNAL_RECORD.size);
  records.forEach((record, i) => {
    JOURNAL_RECORD.write(table, i * JOURNAL_RECORD.size, record);
  });
  return table;
}

/** What a header says besides its table. */
export type HeaderFacts = Pick<JournalHeader, 'imageSize' | 'oldSize' | 'state'> & { readonly identity: string };

export function encodeHeader(records: readonly JournalRecord[], table: Bytes, facts: HeaderFacts): Bytes {
  const header = new Uint8Array(JOURNAL_HEADER_SIZE);
  const name = new Uint8Array(IDENTITY_SIZE);
  name.set(encodeName(facts.identity).subarray(0, IDENTITY_SIZE - 1));
  JOURNAL_HEADER.write(header, 0, {
    magic: JOURNAL_MAGIC,
    version: JOURNAL_VERSION,
    recordCount: records.length,
    imageSize: facts.imageSize,
    oldSize: facts.oldSize,
    state: facts.state,
    tableChecksum: crc32(table),
    checksum: 0,
    identity: name,
  });
  JOURNAL_HEADER.write(header, 0, { checksum: crc32(header) });
  return header;
}

/** The header if it is whole; undefined for anything else. */
export function decodeHeader(bytes: Bytes): JournalHeader | undefined {
  if (bytes.length < JOURNAL_HEADER_SIZE) return undefined;
  const copy = bytes.slice(0, JOURNAL_HEADER_SIZE);
  const magic = JOURNAL_HEADER.fields.magic.get(new DataView(copy.buffer), 0);
  if (magic !== JOURNAL_MAGIC) return undefined;
  const checksum = JOURNAL_HEADER.fields.checksum.get(new DataView(copy.buffer), JOURNAL_HEADER.fields.checksum.offset);
  JOURNAL_HEADER.write(copy, 0, { checksum: 0 });
  return crc32(copy) === checksum ? JOURNAL_HEADER.read(copy) : undefined;
}

export function identityOf(header: JournalHeader): string {
  return latin1(untilNul(header.identity));
}

/**
 * Changing a file whole or not at all, through a journal file beside it.
 *
 * Order: the data and their table go into the journal and are made durable; then its header, which says that it is complete; only then
 * is the image's file written, made durable, and the journal removed. Whenever the process or the machine stops, {@link recover} either
 * finishes the work or drops it.
 *
 * Much of what is new goes where the file had only zeros, or ended. Where that is worth it, such data go straight to their places, between two
 * headers: the first says which runs are being filled, so that {@link recover} can make them blank again; the second, written when they
 * are durable, that the journal is complete.
 */

import { crc32 } from '../bytes/crc32.ts';
import type { Bytes } from '../bytes/struct.ts';
import { isZero } from '../bytes/text.ts';
import { Corrupt, Posix, Refused, strerror, Unsupported } from '../errors.ts';
import type { CommitHost } from '../io/commit-host.ts';
import { type Io, perform } from '../io/effect.ts';
import { Flush, readExactly, readPadded, Truncate, type WritableSource, Write } from '../io/source.ts';
import {
  decodeHeader,
  encodeHeader,
  encodeTable,
  identityOf,
  JOURNAL_HEADER_SIZE,
  JOURNAL_RECORD,
  JOURNAL_VERSION,
  type JournalHeader,
  type JournalRecord,
  MAX_RECORD_DATA,
  MAX_RECORDS,
  RECORD_BLANK,
  RECORD_DATA,
  RECORD_ZERO,
  STATE_COMPLETE,
  STATE_FILLING,
} from './journal-format.ts';

/** See {@link CommitHost.leastBlank}. */
const LEAST_BLANK: number = 2 << 20;

/** A run of a file that gets new bytes, or zeros. */
export interface FileRange {
  readonly offset: number;
  readonly length: number;
  readonly kind: 'data' | 'zero';
}

/** What a file shall be: runs in ascending order that do not overlap, and its length. */
export interface FileChanges {
  readonly ranges: readonly FileRange[];
  /** Length of the file afterwards, in bytes. */
  readonly size: number;
  /** The new bytes of a part of a `data` range. */
  read(offset: number, target: Bytes): Io<void>;
}

/** A step of the host as an effect. */
export function onHost<T>(step: () => T): Io<T> {
  return perform({ sync: step, async: async () => step() });
}

/**
 * Applies changes to the image's file. `check` is called when the journal is written and nothing else is; when it throws, or anything
 * before it, the file is untouched and the journal gone. Throws Refused when a journal is there already: an earlier commit needs
 * {@link recover} first. When writing the image itself fails, the journal stays and the error says so.
 */
export function* applyThroughJournal(host: CommitHost, changes: FileChanges, check: () => Io<void>): Io<void> {
  const pending = yield* onHost(() => host.openJournal());
  if (pending !== undefined) {
    pending.close?.();
    const message = 'another commit into it goes on, or was interrupted: open the image again for writing, which finishes that one';
    throw new Refused(message, { image: host.name });
  }
  const { records, oldSize } = yield* markBlank(host, splitIntoRecords(changes.ranges));
  const journal = yield* onHost(() => host.createJournal());
  try {
    const facts = { imageSize: changes.size, oldSize, identity: yield* onHost(() => host.identity()) };
    try {
      yield* writeJournal(host, journal, changes, records);
      yield* check();
    } catch (error) {
      yield* onHost(() => host.removeJournal());
      throw error;
    }
    const table = encodeTable(records);
    if (records.some((record) => record.kind === RECORD_BLANK)) {
      yield* perform(new Write(journal, 0, encodeHeader(records, table, { ...facts, state: STATE_FILLING })));
      yield* perform(new Flush(journal));
      yield* fillBlank(host, changes, records, oldSize);
    }
    yield* perform(new Write(journal, 0, encodeHeader(records, table, { ...facts, state: STATE_COMPLETE })));
    yield* perform(new Flush(journal));
    yield* applyRecords(host, journal, records, changes.size);
  } finally {
    journal.close?.();
  }
  yield* onHost(() => host.removeJournal());
  yield* onHost(() => host.syncFolder());
}

/** Makes records of data blank ones where the file has only zeros, or nothing, if that saves enough of the journal. */
function* markBlank(host: CommitHost, records: JournalRecord[]): Io<{ readonly records: JournalRecord[]; readonly oldSize: number }> {
  const total = records.reduce((sum, { kind, length }) => sum + (kind === RECORD_DATA ? length : 0), 0);
  const least = host.leastBlank ?? LEAST_BLANK;
  // Without blank records the old length is not needed.
  if (total < least) return { records, oldSize: 0 };
  const image = yield* onHost(() => host.openImage());
  try {
    const buffer = new Uint8Array(MAX_RECORD_DATA);
    const marked: JournalRecord[] = [];
    let blank = 0;
    for (const record of records) {
      const part = buffer.subarray(0, record.length);
      const isData = record.kind === RECORD_DATA;
      if (isData) yield* readPadded(image, record.offset, part);
      const isBlank = isData && isZero(part);
      if (isBlank) blank += record.length;
      marked.push(isBlank ? { ...record, kind: RECORD_BLANK } : record);
    }
    return { records: blank < least ? records : marked, oldSize: image.size };
  } finally {
    image.close?.();
  }
}

/** Writes the data of blank records to their places, durably. When that fails they are made blank again and the journal goes. */
function* fillBlank(host: CommitHost, changes: FileChanges, records: readonly JournalRecord[], oldSize: number): Io<void> {
  const image = yield* onHost(() => host.openImage());
  try {
    const buffer = new Uint8Array(MAX_RECORD_DATA);
    for (const { kind, offset, length } of records) {
      if (kind !== RECORD_BLANK) continue;
      const data = buffer.subarray(0, length);
      yield* changes.read(offset, data);
      yield* perform(new Write(image, offset, data));
    }
    yield* perform(new Flush(image));
  } catch (error) {
    try {
      yield* makeBlank(image, records, oldSize);
    } catch (again) {
      throw keptJournal(host, again);
    }
    yield* onHost(() => host.removeJournal());
    throw error;
  } finally {
    image.close?.();
  }
}

/** What to say when the image's file cannot be written in the middle of a commit. */
function keptJournal(host: CommitHost, error: unknown): unknown {
  if (!(error instanceof Posix)) return error;
  const message = `writing the image failed in the middle of a commit (${strerror(error.code)}); its journal is kept: open the image again to finish`;
  return new Posix(error.code, { image: host.name }, message, { cause: error });
}

/** Takes back what {@link fillBlank} did, durably. */
function* makeBlank(image: WritableSource, records: readonly JournalRecord[], oldSize: number): Io<void> {
  if (image.size > oldSize) yield* perform(new Truncate(image, oldSize));
  const buffer = new Uint8Array(MAX_RECORD_DATA);
  for (const { kind, offset, length } of records) {
    const inside = Math.min(length, oldSize - offset);
    if (kind === RECORD_BLANK && inside > 0) yield* clear(image, offset, inside, buffer);
  }
  yield* perform(new Flush(image));
}

function splitIntoRecords(ranges: readonly FileRange[]): JournalRecord[] {
  const records: JournalRecord[] = [];
  for (const { offset, length, kind } of ranges) {
    const step = kind === 'data' ? MAX_RECORD_DATA : length;
    for (let done = 0; done < length; done += step) {
      records.push({
        offset: offset + done,
        length: Math.min(step, length - done),
        kind: kind === 'data' ? RECORD_DATA : RECORD_ZERO,
        checksum: 0,
      });
    }
  }
  if (records.length > MAX_RECORDS) throw new Unsupported('commit of more than 2^24 runs');
  return records;
}

const dataStart = (recordCount: number): number => JOURNAL_HEADER_SIZE + recordCount * JOURNAL_RECORD.size;

/** Everything but the header, durable; fills in the records' checksums. */
function* writeJournal(host: CommitHost, journal: WritableSource, changes: FileChanges, records: JournalRecord[]): Io<void> {
  let at = dataStart(records.length);
  const buffer = new Uint8Array(MAX_RECORD_DATA);
  const checksum = host.crc32 ?? crc32;
  for (const record of records) {
    if (record.kind !== RECORD_DATA) continue;
    if (host.pause !== undefined) yield* host.pause();
    const data = buffer.subarray(0, record.length);
    yield* changes.read(record.offset, data);
    record.checksum = checksum(data);
    yield* perform(new Write(journal, at, data));
    at += data.length;
  }
  yield* perform(new Write(journal, JOURNAL_HEADER_SIZE, encodeTable(records)));
  yield* perform(new Flush(journal));
  yield* onHost(() => host.syncFolder());
}

function* applyRecords(host: CommitHost, journal: WritableSource, records: readonly JournalRecord[], size: number): Io<void> {
  const image = yield* onHost(() => host.openImage());
  try {
    if (image.size !== size) yield* perform(new Truncate(image, size));
    let at = dataStart(records.length);
    const buffer = new Uint8Array(MAX_RECORD_DATA);
    for (const record of records) {
      if (record.kind === RECORD_ZERO) yield* clear(image, record.offset, record.length, buffer);
      else if (record.kind === RECORD_DATA) {
        const data = buffer.subarray(0, record.length);
        yield* readExactly(journal, at, data);
        yield* perform(new Write(image, record.offset, data));
        at += data.length;
      }
    }
    yield* perform(new Flush(image));
  } catch (error) {
    throw keptJournal(host, error);
  } finally {
    image.close?.();
  }
}

/** Makes a run zeros; what is zero already is not written, so that holes stay. */
function* clear(image: WritableSource, offset: number, length: number, buffer: Bytes): Io<void> {
  for (let done = 0; done < length; done += buffer.length) {
    const part = buffer.subarray(0, length - done);
    yield* readPadded(image, offset + done, part);
    if (isZero(part)) continue;
    part.fill(0);
    yield* perform(new Write(image, offset + done, part));
  }
}

export type Recovery = 'nothing' | 'finished' | 'dropped';

/**
 * Ends what an interrupted commit left: finishes it when its journal is complete, drops it when it is not. To be called when an image
 * is opened. Throws Refused when the image is in use or the journal belongs to another file, Corrupt when a complete journal has
 * been damaged since.
 */
export function* recover(host: CommitHost): Io<Recovery> {
  const journal = yield* onHost(() => host.openJournal());
  if (journal === undefined) return 'nothing';
  let outcome: Recovery = 'dropped';
  try {
    const header = journal.size >= JOURNAL_HEADER_SIZE ? yield* readHeader(journal) : undefined;
    if (header !== undefined) {
      yield* refuseInUse(host);
      if (header.version !== JOURNAL_VERSION) throw new Unsupported(`commit journal of version ${header.version}`);
      if (identityOf(header) !== (yield* onHost(() => host.identity()))) {
        throw new Refused(`${journal.name} belongs to another file than this; remove it if the image was replaced on purpose`, {
          image: host.name,
        });
      }
      const records = yield* readRecords(journal, header);
      if (header.state === STATE_FILLING) yield* blankAgain(host, records, header.oldSize);
      else {
        yield* applyRecords(host, journal, records, header.imageSize);
        outcome = 'finished';
      }
    }
  } finally {
    journal.close?.();
  }
  yield* onHost(() => host.removeJournal());
  yield* onHost(() => host.syncFolder());
  return outcome;
}

function* blankAgain(host: CommitHost, records: readonly JournalRecord[], oldSize: number): Io<void> {
  const image = yield* onHost(() => host.openImage());
  try {
    yield* makeBlank(image, records, oldSize);
  } finally {
    image.close?.();
  }
}

/** Whether a commit was interrupted after writing into the image had begun, or could have: until it is finished the image is half written. */
export function* commitPending(host: CommitHost): Io<boolean> {
  const journal = yield* onHost(() => host.openJournal());
  if (journal === undefined) return false;
  try {
    return journal.size >= JOURNAL_HEADER_SIZE && (yield* readHeader(journal)) !== undefined;
  } finally {
    journal.close?.();
  }
}

/** Throws Refused when somebody else has the image in use. */
export function* refuseInUse(host: CommitHost): Io<void> {
  const user = yield* onHost(() => host.user());
  if (user !== undefined) throw new Refused(`the image is in use (${user})`, { image: host.name });
}

function* readHeader(journal: WritableSource): Io<JournalHeader | undefined> {
  const bytes = new Uint8Array(JOURNAL_HEADER_SIZE);
  yield* readExactly(journal, 0, bytes);
  return decodeHeader(bytes);
}

/** The records, each checked against its data. */
function* readRecords(journal: WritableSource, header: JournalHeader): Io<JournalRecord[]> {
  const damaged = (what: string): Corrupt =>
    new Corrupt(`${what} of the commit's journal is damaged; the image is half written`, { image: journal.name });
  const start = dataStart(header.recordCount);
  if (header.recordCount > MAX_RECORDS || start > journal.size) throw damaged('the table');
  const table = new Uint8Array(start - JOURNAL_HEADER_SIZE);
  yield* readExactly(journal, JOURNAL_HEADER_SIZE, table);
  if (crc32(table) !== header.tableChecksum) throw damaged('the table');
  const records: JournalRecord[] = [];
  const buffer = new Uint8Array(MAX_RECORD_DATA);
  let at = start;
  for (let i = 0; i < header.recordCount; i++) {
    const record = JOURNAL_RECORD.read(table, i * JOURNAL_RECORD.size);
    if (record.offset + record.length > header.imageSize) throw damaged('a record');
    if (record.kind === RECORD_DATA) {
      if (record.length > MAX_RECORD_DATA || at + record.length > journal.size) throw damaged('a record');
      const data = buffer.subarray(0, record.length);
      yield* readExactly(journal, at, data);
      if (crc32(data) !== record.checksum) throw damaged('the data');
      at += record.length;
    } else if (record.kind !== RECORD_ZERO && (record.kind !== RECORD_BLANK || record.length > MAX_RECORD_DATA)) throw damaged('a record');
    records.push(record);
  }
  return records;
}

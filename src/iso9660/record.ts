/** Directory records and the nodes they stand for. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import { type FileKind, kindOfMode, S_IFDIR, S_IFREG, type Timestamp } from '../filesystem/filesystem.ts';
import { shortDate } from './dates.ts';
import { DIRECTORY_RECORD, type DirectoryRecord, FLAG_DIRECTORY } from './format.ts';
import type { Compressed, RockRidge } from './system-use.ts';

/** A directory record with all of its bytes. */
export interface Record {
  readonly fields: DirectoryRecord;
  /** Byte offset on the device. */
  readonly offset: number;
  readonly identifier: Bytes;
  /** The System Use field (9.1.13). */
  readonly systemUse: Bytes;
}

/** A part of a file's contents. */
export interface Section {
  /** Byte offset on the device. */
  readonly start: number;
  readonly length: number;
}

/** A node as its record and its Rock Ridge entries tell. */
export interface Inode {
  readonly kind: FileKind;
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly device?: { readonly major: number; readonly minor: number };
  readonly size: number;
  /** Units of 512 bytes. */
  readonly blocks: number;
  readonly mtime: Timestamp;
  readonly atime: Timestamp;
  readonly ctime: Timestamp;
  readonly btime?: Timestamp;
  readonly sections: readonly Section[];
  /** The contents are interleaved, which nobody reads. */
  readonly interleaved: boolean;
  readonly target?: Bytes;
  readonly compressed?: Compressed;
}

/** The record that begins at `at` of these bytes, which end where its sector does. Throws Corrupt. */
export function parseRecord(bytes: Bytes, at: number, offset: number): Record {
  const bad = (what: string): Corrupt => new Corrupt(what, { layer: 'iso9660', offset });
  const length = bytes[at] ?? 0;
  if (length < DIRECTORY_RECORD.size || at + length > bytes.length) throw bad(`a directory record of ${length} bytes`);
  const fields = DIRECTORY_RECORD.read(bytes, at);
  const end = DIRECTORY_RECORD.size + fields.lengthOfFileIdentifier;
  if (end > length) throw bad('a file identifier is longer than its directory record');
  const systemUse = Math.min(length, end + (end % 2));
  return {
    fields,
    offset,
    identifier: bytes.slice(at + DIRECTORY_RECORD.size, at + end),
    systemUse: bytes.slice(at + systemUse, at + length),
  };
}

/** A record that says "this directory" or "the one above" (6.8.2.2). */
export function isDotRecord(record: Record): boolean {
  return record.identifier.length === 1 && (record.identifier[0] ?? 0) <= 1;
}

/** The node of a record (fs/isofs/inode.c, isofs_read_inode), with the sections of all records that belong to it. */
export function makeInode(record: Record, rock: RockRidge, sections: readonly Section[], warn: (message: string) => void): Inode {
  const { fields } = record;
  const isDirectory = (fields.fileFlags & FLAG_DIRECTORY) !== 0;
  const interleaved = fields.interleaveGapSize !== 0;
  const stored = sections.reduce((sum, section) => sum + section.length, 0);
  const recorded = shortDate(fields.recordingDateAndTime);
  let mode = rock.mode ?? (isDirectory ? S_IFDIR : S_IFREG) + 0o555;
  let kind = mode > 0xffff ? undefined : kindOfMode(mode);
  if (kind === undefined) {
    warn(`a mode of 0${mode.toString(8)} names no type of file`);
    kind = isDirectory ? 'directory' : 'file';
    mode = (isDirectory ? S_IFDIR : S_IFREG) + (mode % 0o10000);
  }
  const target = kind === 'symlink' ? rock.target : undefined;
  const compressed = kind === 'file' ? rock.compressed : undefined;
  return {
    kind,
    mode,
    links: rock.links ?? 1,
    uid: rock.uid ?? 0,
    gid: rock.gid ?? 0,
    ...(kind === 'block' || kind === 'character' ? { device: rock.device ?? { major: 0, minor: 0 } } : {}),
    size: target?.length ?? compressed?.size ?? stored,
    blocks: Math.ceil(stored / 512),
    mtime: rock.mtime ?? recorded,
    atime: rock.atime ?? recorded,
    ctime: rock.ctime ?? recorded,
    ...(rock.btime === undefined ? {} : { btime: rock.btime }),
    sections,
    interleaved,
    ...(target === undefined ? {} : { target }),
    ...(compressed === undefined ? {} : { compressed }),
  };
}

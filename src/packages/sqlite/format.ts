/** SQLite database files and their write-ahead logs (sqlite.org/fileformat2.html); all numbers are big-endian. */
import { be, raw, struct, u8 } from '../../bytes/struct.ts';

export const MAGIC: Uint8Array = new TextEncoder().encode('SQLite format 3\0');

export const DATABASE_HEADER = struct('SQLite database header', 100, {
  magic: raw(0, 16),
  /** 1 stands for 65536. */
  pageSize: be.u16(16),
  readVersion: u8(19),
  /** Bytes at the end of each page that are not used. */
  reserved: u8(20),
  /** Length in pages; 0 or stale in files of old writers. */
  pages: be.u32(28),
  /** 1 UTF-8, 2 UTF-16LE, 3 UTF-16BE. */
  textEncoding: be.u32(56),
});

/** The page's kind, at its beginning (page 1: behind the database header). */
export const INTERIOR_TABLE = 5;
export const LEAF_TABLE = 13;

export const PAGE_HEADER = struct('SQLite b-tree page header', 8, {
  type: u8(0),
  cells: be.u16(3),
});
export const INTERIOR_HEADER_SIZE = 12;
export const RIGHTMOST_POINTER = 8;

export const WAL_MAGIC_LITTLE = 0x377f0682;
export const WAL_MAGIC_BIG = 0x377f0683;
export const WAL_VERSION = 3_007_000;

export const WAL_HEADER = struct('SQLite WAL header', 32, {
  magic: be.u32(0),
  version: be.u32(4),
  pageSize: be.u32(8),
  salt1: be.u32(16),
  salt2: be.u32(20),
  checksum1: be.u32(24),
  checksum2: be.u32(28),
});

export const FRAME_HEADER = struct('SQLite WAL frame header', 24, {
  page: be.u32(0),
  /** For the last frame of a transaction the length of the database in pages, else 0. */
  commit: be.u32(4),
  salt1: be.u32(8),
  salt2: be.u32(12),
  checksum1: be.u32(16),
  checksum2: be.u32(20),
});

/** Berkeley DB hash files (db-5.3, src/dbinc/db_page.h). They are written in the byte order of the machine that made them. */
import { be, le, type Struct, struct, u8 } from '../../bytes/struct.ts';

type Integers = typeof le;

export const DB_HASHMAGIC = 0x0006_1561;
/** Versions of the hash method whose files have this shape. */
export const DB_HASHVERSION_OLDEST = 7;
export const DB_HASHVERSION = 10;
export const DBMETA_CHKSUM = 0x01;

const meta = (order: Integers) =>
  struct('Berkeley DB hash meta page', 224, {
    magic: order.u32(12),
    version: order.u32(16),
    pagesize: order.u32(20),
    encrypt_alg: u8(24),
    type: u8(25),
    metaflags: u8(26),
    last_pgno: order.u32(32),
    max_bucket: order.u32(72),
  });

/** spares[32] stand behind it: for each doubling of the table what turns the number of a bucket into that of its page. */
export const SPARES_OFFSET = 96;
export const SPARES = 32;

const page = (order: Integers) =>
  struct('Berkeley DB page', 26, {
    pgno: order.u32(8),
    prev_pgno: order.u32(12),
    next_pgno: order.u32(16),
    /** Items of the page; on overflow pages the number of references. */
    entries: order.u16(20),
    /** Where free space ends; on overflow pages the length of their data. */
    hf_offset: order.u16(22),
    type: u8(25),
  });

const offpage = (order: Integers) =>
  struct('Berkeley DB off-page item', 12, {
    type: u8(0),
    pgno: order.u32(4),
    /** Length of the whole item in bytes. */
    tlen: order.u32(8),
  });

export const P_HASH_UNSORTED = 2;
export const P_OVERFLOW = 7;
export const P_HASH = 13;

/** The first byte of an item of a hash page. */
export const H_KEYDATA = 1;
export const H_OFFPAGE = 3;

/** The structures in one byte order. */
export interface Layout {
  readonly little: boolean;
  readonly meta: ReturnType<typeof meta>;
  readonly page: ReturnType<typeof page>;
  readonly offpage: ReturnType<typeof offpage>;
}

export const LAYOUTS: readonly Layout[] = [
  { little: true, meta: meta(le), page: page(le), offpage: offpage(le) },
  { little: false, meta: meta(be), page: page(be), offpage: offpage(be) },
];
export type { Struct };

/** rpm's own database, Packages.db (rpm, lib/backend/ndb/rpmpkg.c); all numbers are little-endian. */
import { le, struct } from '../../bytes/struct.ts';

/** `RpmP`. */
export const PKGDB_MAGIC = 0x506d_7052;
export const PKGDB_VERSION = 0;

export const PKGDB_HEADER = struct('rpm ndb header', 32, {
  magic: le.u32(0),
  version: le.u32(4),
  generation: le.u32(8),
  /** Pages of 4096 bytes that hold slots; the first begins with this header. */
  slotnpages: le.u32(12),
  nextpkgidx: le.u32(16),
});

/** `Slot`. */
export const SLOT_MAGIC = 0x746f_6c53;
export const SLOT_PAGE_SIZE = 4096;
/** The unit of `blkoff` and `blkcnt`, in bytes. */
export const BLK_SIZE = 16;

export const SLOT = struct('rpm ndb slot', 16, {
  magic: le.u32(0),
  /** The number of the package; 0 for a slot that is free. */
  pkgidx: le.u32(4),
  blkoff: le.u32(8),
  blkcnt: le.u32(12),
});

/** `BlbS`. */
export const BLOBHEAD_MAGIC = 0x5362_6c42;
export const BLOBHEAD = struct('rpm ndb blob head', 16, {
  magic: le.u32(0),
  pkgidx: le.u32(4),
  generation: le.u32(8),
  bloblen: le.u32(12),
});

/** `BlbE`. */
export const BLOBTAIL_MAGIC = 0x4562_6c42;
/** Ends the last block of a blob. */
export const BLOBTAIL = struct('rpm ndb blob tail', 12, {
  /** Adler-32 of the blob from its head up to here. */
  adler32: le.u32(0),
  bloblen: le.u32(4),
  magic: le.u32(8),
});

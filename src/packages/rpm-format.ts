/** The header of an rpm package (rpm, docs/manual/format_header.md; lib/header.c): all numbers are big-endian. */
import { be, type Decoded, type Struct, struct } from '../bytes/struct.ts';

/** What a database holds of a package begins with this. */
export const HEADER_INTRO = struct('rpm header', 8, {
  /** Entries of the index. */
  il: be.u32(0),
  /** Bytes of data. */
  dl: be.u32(4),
});

/** Package files have this before it, `8e ad e8` and version 1, then four reserved bytes; databases do not. */
export const HEADER_MAGIC: number = 0x8eade801;
export const HEADER_MAGIC_SIZE = 8;

export const HEADER_ENTRY = struct('rpm header entry', 16, {
  tag: be.u32(0),
  type: be.u32(4),
  /** Byte offset in the data. */
  offset: be.i32(8),
  count: be.u32(12),
});
export type HeaderEntry = Decoded<typeof HEADER_ENTRY>;
export type { Struct };

/** rpm's own limits of an index and of its data (lib/header.c: HEADER_TAGS_MAX, HEADER_DATA_MAX). */
export const HEADER_TAGS_MAX = 0xffff;
export const HEADER_DATA_MAX = 0x1000_0000;

export const RPM_INT32_TYPE = 4;
export const RPM_STRING_TYPE = 6;
export const RPM_STRING_ARRAY_TYPE = 8;
export const RPM_I18NSTRING_TYPE = 9;

export const RPMTAG_NAME = 1000;
export const RPMTAG_VERSION = 1001;
export const RPMTAG_RELEASE = 1002;
export const RPMTAG_EPOCH = 1003;
export const RPMTAG_SUMMARY = 1004;
export const RPMTAG_DESCRIPTION = 1005;
export const RPMTAG_URL = 1020;
export const RPMTAG_ARCH = 1022;
export const RPMTAG_SOURCERPM = 1044;

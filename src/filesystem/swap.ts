/** Swap areas of Linux, version 1: include/linux/swap.h (union swap_header) of the kernel, and what mkswap(8) makes of it. */
import { type Bytes, type Field, le, raw, type Struct, struct } from '../bytes/struct.ts';
import { isZero, latin1 } from '../bytes/text.ts';
import { Posix } from '../errors.ts';
import type { BlockDevice, WritableDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { isTransactional, Transactions } from '../io/transaction.ts';

export interface MakeSwapOptions {
  /** Up to 16 bytes, of which mkswap and we keep 15; default none. */
  readonly label?: Bytes;
  /** 16 bytes; default none. */
  readonly uuid?: Bytes;
}

/** What a swap area says of itself. */
export interface SwapArea {
  readonly pages: number;
  readonly label: Bytes;
  /** 16 bytes; undefined where all are zero. */
  readonly uuid?: Bytes;
}

type N = Field<number>;
type B = Field<Bytes>;

/** The first page of a swap area, on machines with pages of 4 KiB. */
export const SWAP_HEADER: Struct<{ version: N; last_page: N; nr_badpages: N; sws_uuid: B; sws_volume: B; magic: B }> = struct(
  'swap header',
  4096,
  {
    version: le.u32(1024),
    last_page: le.u32(1028),
    nr_badpages: le.u32(1032),
    sws_uuid: raw(1036, 16),
    sws_volume: raw(1052, 16),
    magic: raw(4086, 10),
  },
);

const PAGE = 4096;
const MAGIC = 'SWAPSPACE2';
const MAGIC_BYTES: Bytes = Uint8Array.from(MAGIC, (character) => character.charCodeAt(0));
const VERSION = 1;
/** mkswap(8) makes none below. */
const FEWEST_PAGES = 10;
const MOST_PAGES = 0xffff_ffff;
const LABEL_LENGTH = 16;

/** The first page of a swap area of `size` bytes. Throws Posix EINVAL for a label or UUID that cannot be, ENOSPC where it is too small. */
export function encodeSwapHeader(size: number, options: MakeSwapOptions = {}): Bytes {
  const { label = new Uint8Array(0), uuid = new Uint8Array(16) } = options;
  const where = { layer: 'swap' };
  if (label.length > LABEL_LENGTH)
    throw new Posix('EINVAL', where, `labels of swap areas have up to ${LABEL_LENGTH} bytes, not ${label.length}`);
  if (uuid.length !== 16) throw new Posix('EINVAL', where, 'a UUID has 16 bytes');
  const pages = Math.min(Math.floor(size / PAGE), MOST_PAGES);
  if (pages < FEWEST_PAGES) throw new Posix('ENOSPC', where, `a swap area needs ${(FEWEST_PAGES * PAGE) / 1024} KiB at least`);
  const page = new Uint8Array(PAGE);
  const volume = new Uint8Array(LABEL_LENGTH);
  volume.set(label.subarray(0, LABEL_LENGTH - 1));
  SWAP_HEADER.write(page, 0, {
    version: VERSION,
    last_page: pages - 1,
    nr_badpages: 0,
    sws_uuid: uuid,
    sws_volume: volume,
    magic: MAGIC_BYTES,
  });
  return page;
}

/** Makes a device a swap area; what a boot loader or file system has in its first 4 KiB is overwritten. Throws as {@link encodeSwapHeader}. */
export function* makeSwap(device: WritableDevice, options: MakeSwapOptions = {}): Io<void> {
  const page = encodeSwapHeader(device.size, options);
  if (!isTransactional(device)) return yield* device.write(0, page);
  const nothing = { restore: (): void => {}, release: (): void => {} };
  yield* new Transactions(device, () => nothing).run(() => device.write(0, page));
}

/** What the first page of a device says; undefined where it is no swap area that Linux would use on a machine with pages of 4 KiB. */
export function decodeSwapHeader(page: Bytes): SwapArea | undefined {
  if (page.length < PAGE) return undefined;
  const header = SWAP_HEADER.read(page);
  if (latin1(header.magic) !== MAGIC || header.version !== VERSION || header.last_page === 0) return undefined;
  const end = header.sws_volume.indexOf(0);
  return {
    pages: header.last_page + 1,
    label: end < 0 ? header.sws_volume : header.sws_volume.slice(0, end),
    ...(isZero(header.sws_uuid) ? {} : { uuid: header.sws_uuid }),
  };
}

/** The swap area on a device; undefined where there is none. */
export function* readSwap(device: BlockDevice): Io<SwapArea | undefined> {
  return device.size < PAGE ? undefined : decodeSwapHeader(yield* device.read(0, PAGE));
}

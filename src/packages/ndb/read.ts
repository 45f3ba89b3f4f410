/** Reads Packages.db. */
import type { Bytes } from '../../bytes/struct.ts';
import { Corrupt, Unsupported } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { type BlobVisitor, orDamaged } from '../blob-visitor.ts';
import { type DatabaseFile, ReadBudget, readRange } from '../database-file.ts';
import {
  BLK_SIZE,
  BLOBHEAD,
  BLOBHEAD_MAGIC,
  BLOBTAIL,
  BLOBTAIL_MAGIC,
  PKGDB_HEADER,
  PKGDB_MAGIC,
  PKGDB_VERSION,
  SLOT,
  SLOT_MAGIC,
  SLOT_PAGE_SIZE,
} from './format.ts';

/** rpm's own limit of pages with slots. */
const SLOT_PAGE_LIMIT = 2048;

/** Shows the header of each package, in the order of the slots. Throws Corrupt, Unsupported for another version. */
export function* readNdb(file: DatabaseFile, visitor: BlobVisitor): Io<void> {
  const { magic, version, slotnpages } = PKGDB_HEADER.read(yield* readRange(file, 'ndb', 0, PKGDB_HEADER.size));
  if (magic !== PKGDB_MAGIC) throw corrupt('this is no Packages.db of rpm');
  if (version !== PKGDB_VERSION) throw new Unsupported(`rpm ndb version ${version}`);
  if (slotnpages === 0 || slotnpages > SLOT_PAGE_LIMIT) throw corrupt(`${slotnpages} pages of slots`);
  const budget = new ReadBudget('ndb', file.size);
  for (let page = 0; page < slotnpages; page++) {
    const slots = yield* readRange(file, 'ndb', page * SLOT_PAGE_SIZE, SLOT_PAGE_SIZE);
    for (let at = page === 0 ? PKGDB_HEADER.size : 0; at < SLOT_PAGE_SIZE; at += SLOT.size) {
      const slot = SLOT.read(slots, at);
      if (slot.magic !== SLOT_MAGIC) throw corrupt(`the slot at ${page * SLOT_PAGE_SIZE + at} has no magic`);
      if (slot.pkgidx === 0) continue;
      budget.spend(slot.blkcnt * BLK_SIZE);
      const { pkgidx, blkoff, blkcnt } = slot;
      const header = yield* orDamaged(visitor, () => readBlob(file, pkgidx, blkoff * BLK_SIZE, blkcnt * BLK_SIZE, visitor));
      if (header !== undefined) visitor.blob(header, `package ${pkgidx}`);
    }
  }
}

function* readBlob(file: DatabaseFile, pkgidx: number, offset: number, length: number, visitor: BlobVisitor): Io<Bytes> {
  if (length < BLOBHEAD.size + BLOBTAIL.size) throw corrupt(`the blob of package ${pkgidx} has no room for its ends`);
  const bytes = yield* readRange(file, 'ndb', offset, length);
  const head = BLOBHEAD.read(bytes);
  const tail = BLOBTAIL.read(bytes, length - BLOBTAIL.size);
  const blocks = Math.ceil((BLOBHEAD.size + head.bloblen + BLOBTAIL.size) / BLK_SIZE);
  if (head.magic !== BLOBHEAD_MAGIC || head.pkgidx !== pkgidx || blocks * BLK_SIZE !== length) {
    throw corrupt(`the blob of package ${pkgidx} does not begin as one`);
  }
  if (tail.magic !== BLOBTAIL_MAGIC || tail.bloblen !== head.bloblen) throw corrupt(`the blob of package ${pkgidx} does not end as one`);
  if (adler32(bytes.subarray(0, length - BLOBTAIL.size)) !== tail.adler32) {
    // rpm itself does not look at it when it reads.
    visitor.damaged(corrupt(`the checksum of package ${pkgidx} does not match`));
  }
  return bytes.subarray(BLOBHEAD.size, BLOBHEAD.size + head.bloblen);
}

/** Adler-32 (RFC 1950, section 8.2). */
export function adler32(bytes: Bytes): number {
  let a = 1;
  let b = 0;
  // So many sums stay below 2^32 before the remainder is taken.
  for (let start = 0; start < bytes.length; start += 5552) {
    const end = Math.min(start + 5552, bytes.length);
    for (let i = start; i < end; i++) b += a += bytes[i] as number;
    a %= 65_521;
    b %= 65_521;
  }
  return b * 65_536 + a;
}

function corrupt(message: string): Corrupt {
  return new Corrupt(message, { layer: 'ndb' });
}

/** Reads rpm's Packages file of Berkeley DB: a hash table from the number of a header to the header. */
import { setBit, testBit } from '../../bytes/bitmap.ts';
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { isZero } from '../../bytes/text.ts';
import { Corrupt, Unsupported } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { type BlobVisitor, orDamaged } from '../blob-visitor.ts';
import { type DatabaseFile, readRange } from '../database-file.ts';
import {
  DB_HASHMAGIC,
  DB_HASHVERSION,
  DB_HASHVERSION_OLDEST,
  DBMETA_CHKSUM,
  H_KEYDATA,
  H_OFFPAGE,
  LAYOUTS,
  type Layout,
  P_HASH,
  P_HASH_UNSORTED,
  P_OVERFLOW,
  SPARES,
  SPARES_OFFSET,
} from './format.ts';

/** Shows the header of each package, bucket by bucket. Throws Corrupt, Unsupported. */
export function* readBdb(file: DatabaseFile, visitor: BlobVisitor): Io<void> {
  const hash = yield* HashFile.open(file);
  yield* hash.forEachValue(visitor);
}

class HashFile {
  readonly #file: DatabaseFile;
  readonly #layout: Layout;
  readonly #pageSize: number;
  readonly #maxBucket: number;
  readonly #spares: readonly number[];
  /** Pages that were read: each belongs to one bucket, or one item, once. */
  readonly #seen: Bytes;

  static *open(file: DatabaseFile): Io<HashFile> {
    const head = yield* readRange(file, 'bdb', 0, 512);
    const layout = LAYOUTS.find((one) => one.meta.read(head).magic === DB_HASHMAGIC);
    if (layout === undefined) throw corrupt('this is no hash file of Berkeley DB');
    return new HashFile(file, layout, head);
  }

  private constructor(file: DatabaseFile, layout: Layout, head: Bytes) {
    const { version, pagesize, encrypt_alg, metaflags, max_bucket } = layout.meta.read(head);
    if (version < DB_HASHVERSION_OLDEST || version > DB_HASHVERSION) throw new Unsupported(`Berkeley DB hash version ${version}`);
    if (encrypt_alg !== 0) throw new Unsupported('encrypted files of Berkeley DB');
    if ((metaflags & DBMETA_CHKSUM) !== 0) throw new Unsupported('Berkeley DB pages with checksums');
    if (pagesize < 512 || pagesize > 65_536 || (pagesize & (pagesize - 1)) !== 0) throw corrupt(`${pagesize} is no size of a page`);
    this.#file = file;
    this.#layout = layout;
    this.#pageSize = pagesize;
    this.#maxBucket = max_bucket;
    const pages = Math.floor(file.size / pagesize);
    if (max_bucket >= pages) throw corrupt(`${max_bucket} buckets in a file of ${pages} pages`);
    const view = viewOf(head);
    this.#spares = Array.from({ length: SPARES }, (_, i) => view.getUint32(SPARES_OFFSET + i * 4, layout.little));
    this.#seen = new Uint8Array(Math.ceil((pages + 1) / 8));
  }

  *forEachValue(visitor: BlobVisitor): Io<void> {
    for (let bucket = 0; bucket <= this.#maxBucket; bucket++) {
      // BUCKET_TO_PAGE of the hash method: the doubling to which the bucket belongs.
      let number = bucket + (this.#spares[Math.ceil(Math.log2(bucket + 1))] ?? 0);
      while (number !== 0) {
        const page = yield* this.#once(number);
        const { type, next_pgno } = this.#layout.page.read(page);
        // A bucket that was never used has a page of zeros.
        if (type === 0 && isZero(page)) break;
        if (type !== P_HASH && type !== P_HASH_UNSORTED) throw corrupt(`page ${number} is no page of a bucket (type ${type})`);
        yield* this.#items(page, number, visitor);
        number = next_pgno;
      }
    }
  }

  *#items(page: Bytes, number: number, visitor: BlobVisitor): Io<void> {
    const { entries } = this.#layout.page.read(page);
    const index = this.#layout.page.size;
    if (index + entries * 2 > page.length) throw corrupt(`page ${number} has room for fewer than ${entries} items`);
    const view = viewOf(page);
    const start = (i: number): number => (i < 0 ? page.length : view.getUint16(index + i * 2, this.#layout.little));
    // Items lie from the end of the page towards its beginning: a key, its value, the next key.
    for (let i = 0; i + 1 < entries; i += 2) {
      // The item at 0 of a page of 64 KiB ends where 16 bits overflow.
      const key = page.subarray(start(i), i === 0 ? page.length : start(i - 1));
      const value = page.subarray(start(i + 1), start(i));
      if (key[0] !== H_KEYDATA || value.length === 0) throw corrupt(`item ${i} of page ${number} is no key, or has no value`);
      // Key 0 holds the largest number that was given to a header.
      if (key.length !== 5 || isZero(key, 1)) continue;
      const what = `package ${viewOf(key).getUint32(1, this.#layout.little)}`;
      const header = yield* orDamaged(visitor, () => this.#value(value));
      if (header !== undefined) visitor.blob(header, what);
    }
  }

  *#value(item: Bytes): Io<Bytes> {
    if (item[0] === H_KEYDATA) return item.subarray(1);
    if (item[0] !== H_OFFPAGE || item.length < this.#layout.offpage.size)
      throw corrupt(`items of type ${item[0]} do not occur in rpm's files`);
    return yield* this.#overflow(this.#layout.offpage.read(item));
  }

  *#overflow({ pgno, tlen }: { readonly pgno: number; readonly tlen: number }): Io<Bytes> {
    if (tlen > this.#file.size) throw corrupt(`an item of ${tlen} bytes is longer than the file`);
    const bytes = new Uint8Array(tlen);
    let next = pgno;
    for (let done = 0; done < tlen; ) {
      const page = yield* this.#once(next);
      const { type, hf_offset: length, next_pgno } = this.#layout.page.read(page);
      if (type !== P_OVERFLOW) throw corrupt(`page ${next} is no overflow page (type ${type})`);
      const part = page.subarray(this.#layout.page.size, this.#layout.page.size + length);
      if (length === 0 || part.length < length || done + length > tlen) throw corrupt(`overflow page ${next} has ${length} bytes of data`);
      bytes.set(part, done);
      done += length;
      next = next_pgno;
    }
    return bytes;
  }

  *#once(number: number): Io<Bytes> {
    const page = yield* readRange(this.#file, 'bdb', number * this.#pageSize, this.#pageSize);
    if (testBit(this.#seen, number)) throw corrupt(`page ${number} is used twice`);
    setBit(this.#seen, number);
    return page;
  }
}

function corrupt(message: string): Corrupt {
  return new Corrupt(message, { layer: 'bdb' });
}

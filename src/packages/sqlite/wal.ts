/** The write-ahead log: pages that were committed but are not yet in the database file. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import type { Io } from '../../io/effect.ts';
import { type DatabaseFile, readRange } from '../database-file.ts';
import { FRAME_HEADER, WAL_HEADER, WAL_MAGIC_BIG, WAL_MAGIC_LITTLE, WAL_VERSION } from './format.ts';

/** What the log has: where in it the last committed version of a page stands, and the length of the database. */
export interface Log {
  readonly pageSize: number;
  /** From the number of a page to the offset of its contents in the log. */
  readonly pages: ReadonlyMap<number, number>;
  /** Length of the database in pages. */
  readonly length: number;
}

class Checksum {
  readonly #little: boolean;
  s1 = 0;
  s2 = 0;

  constructor(little: boolean) {
    this.#little = little;
  }

  /** Two sums over pairs of 32-bit words ("Checksum Algorithm" of the file format). */
  add(bytes: Bytes, length: number): void {
    const view = viewOf(bytes);
    for (let at = 0; at + 8 <= length; at += 8) {
      this.s1 = (this.s1 + view.getUint32(at, this.#little) + this.s2) >>> 0;
      this.s2 = (this.s2 + view.getUint32(at + 4, this.#little) + this.s1) >>> 0;
    }
  }

  is(checksum1: number, checksum2: number): boolean {
    return this.s1 === checksum1 && this.s2 === checksum2;
  }
}

/**
 * Reads a log up to its last commit, as SQLite does: a frame whose salt or checksum is not right ends it, and what no commit follows does
 * not count. Undefined when nothing in it counts.
 */
export function* readLog(file: DatabaseFile): Io<Log | undefined> {
  if (file.size < WAL_HEADER.size) return undefined;
  const head = yield* readRange(file, 'sqlite', 0, WAL_HEADER.size);
  const { magic, version, pageSize, salt1, salt2, checksum1, checksum2 } = WAL_HEADER.read(head);
  if ((magic !== WAL_MAGIC_LITTLE && magic !== WAL_MAGIC_BIG) || version !== WAL_VERSION) return undefined;
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return undefined;
  const checksum = new Checksum(magic === WAL_MAGIC_LITTLE);
  checksum.add(head, 24);
  if (!checksum.is(checksum1, checksum2)) return undefined;
  const frameSize = FRAME_HEADER.size + pageSize;
  const committed = new Map<number, number>();
  let pending: [page: number, offset: number][] = [];
  let length = 0;
  for (let at = WAL_HEADER.size; at + frameSize <= file.size; at += frameSize) {
    const bytes = yield* readRange(file, 'sqlite', at, frameSize);
    const frame = FRAME_HEADER.read(bytes);
    if (frame.salt1 !== salt1 || frame.salt2 !== salt2 || frame.page === 0) break;
    checksum.add(bytes, 8);
    checksum.add(bytes.subarray(FRAME_HEADER.size), pageSize);
    if (!checksum.is(frame.checksum1, frame.checksum2)) break;
    pending.push([frame.page, at + FRAME_HEADER.size]);
    if (frame.commit === 0) continue;
    for (const [page, offset] of pending) committed.set(page, offset);
    pending = [];
    length = frame.commit;
  }
  return length === 0 ? undefined : { pageSize, pages: committed, length };
}

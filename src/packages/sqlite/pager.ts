/** The pages of a database: from the write-ahead log where it has them, else from the file. */
import type { Bytes } from '../../bytes/struct.ts';
import { sameBytes } from '../../bytes/text.ts';
import { Corrupt, Unsupported } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { type DatabaseFile, readRange } from '../database-file.ts';
import { DATABASE_HEADER, MAGIC } from './format.ts';
import { type Log, readLog } from './wal.ts';

export class Pager {
  readonly pageSize: number;
  /** Bytes of a page that are used. */
  readonly usable: number;
  /** Length of the database in pages. */
  readonly pages: number;
  readonly #file: DatabaseFile;
  readonly #wal: DatabaseFile | undefined;
  readonly #log: Log | undefined;

  /** Throws Corrupt, or Unsupported for a database that is not in UTF-8. */
  static *open(file: DatabaseFile, wal?: DatabaseFile): Io<Pager> {
    const log = wal === undefined ? undefined : yield* readLog(wal);
    const first = log?.pages.get(1);
    const head =
      wal !== undefined && first !== undefined
        ? yield* readRange(wal, 'sqlite', first, DATABASE_HEADER.size)
        : yield* readRange(file, 'sqlite', 0, DATABASE_HEADER.size);
    return new Pager(file, wal, log, head);
  }

  private constructor(file: DatabaseFile, wal: DatabaseFile | undefined, log: Log | undefined, head: Bytes) {
    const { magic, pageSize, reserved, readVersion, textEncoding } = DATABASE_HEADER.read(head);
    if (!sameBytes(magic, MAGIC)) throw corrupt('this is no SQLite database');
    this.pageSize = pageSize === 1 ? 65_536 : pageSize;
    if (this.pageSize < 512 || (this.pageSize & (this.pageSize - 1)) !== 0) throw corrupt(`${this.pageSize} is no size of a page`);
    if (log !== undefined && log.pageSize !== this.pageSize) throw corrupt('the pages of the log are not as long as those of the database');
    this.usable = this.pageSize - reserved;
    if (this.usable < 480) throw corrupt(`${reserved} reserved bytes leave too little of a page`);
    if (readVersion > 2) throw new Unsupported(`SQLite file format ${readVersion}`);
    if (textEncoding > 1) throw new Unsupported('SQLite databases in UTF-16');
    this.pages = log?.length ?? Math.floor(file.size / this.pageSize);
    this.#file = file;
    this.#wal = wal;
    this.#log = log;
  }

  /** A page, by its number from 1. Throws Corrupt. */
  *page(number: number): Io<Bytes> {
    if (number < 1 || number > this.pages) throw corrupt(`there is no page ${number}, the database has ${this.pages}`);
    const logged = this.#log?.pages.get(number);
    if (logged !== undefined && this.#wal !== undefined) return yield* readRange(this.#wal, 'sqlite', logged, this.pageSize);
    return yield* readRange(this.#file, 'sqlite', (number - 1) * this.pageSize, this.pageSize);
  }
}

export function corrupt(message: string): Corrupt {
  return new Corrupt(message, { layer: 'sqlite' });
}

/** Reads rpmdb.sqlite: `CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)` (rpm, lib/backend/sqlite.c). */
import type { Io } from '../../io/effect.ts';
import type { BlobVisitor } from '../blob-visitor.ts';
import type { DatabaseFile } from '../database-file.ts';
import { corrupt, Pager } from './pager.ts';
import { Tables } from './table.ts';

/** Shows the header of each package, in the order of their numbers; `wal` is the write-ahead log beside the file. Throws Corrupt, Unsupported. */
export function* readSqlite(file: DatabaseFile, wal: DatabaseFile | undefined, visitor: BlobVisitor): Io<void> {
  const tables = new Tables(yield* Pager.open(file, wal));
  const root = yield* tables.rootOf('Packages');
  if (root === undefined) throw corrupt('the database has no table of packages');
  yield* tables.forEachRow(
    root,
    (values, key) => {
      const header = values.find((value) => value.kind === 'blob');
      if (header?.kind === 'blob') visitor.blob(header.bytes, `package ${key}`);
      else visitor.damaged(corrupt(`package ${key} has no header`));
      return true;
    },
    (error) => visitor.damaged(error),
  );
}

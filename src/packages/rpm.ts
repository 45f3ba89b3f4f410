/** The three databases of rpm, of which each distribution has one: they hold the same headers. */
import { GuestlessError, Unsupported } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { readBdb } from './bdb/read.ts';
import type { BlobVisitor } from './blob-visitor.ts';
import type { DatabaseFile } from './database-file.ts';
import { readNdb } from './ndb/read.ts';
import type { Package } from './package.ts';
import { parseRpmHeader } from './rpm-header.ts';
import { readSqlite } from './sqlite/read.ts';

/** A database by the name of rpm's backend for it. */
export type RpmDatabase =
  /** rpmdb.sqlite, and rpmdb.sqlite-wal where it is there: Fedora 33, RHEL 9 and later. */
  | { readonly backend: 'sqlite'; readonly file: DatabaseFile; readonly log?: DatabaseFile | undefined }
  /** Packages.db: SUSE. */
  | { readonly backend: 'ndb'; readonly file: DatabaseFile }
  /** Packages: RHEL 8 and before. */
  | { readonly backend: 'bdb'; readonly file: DatabaseFile };

export interface RpmPackages {
  /** In the order of the database. */
  readonly packages: readonly Package[];
  /** What could not be read; not empty means that the list may lack packages. */
  readonly warnings: readonly string[];
}

/** Packages of one database. */
const RPM_PACKAGE_LIMIT = 200_000;
const WARNING_LIMIT = 100;

/**
 * Reads a database of rpm. A damaged entry is left out with a warning. Throws Corrupt when the database as a whole cannot be read, and
 * Unsupported for versions and features of the container that rpm does not use.
 */
export function* readRpmDatabase(database: RpmDatabase): Io<RpmPackages> {
  const packages: Package[] = [];
  const warnings: string[] = [];
  const warn = (message: string): void => {
    if (warnings.length < WARNING_LIMIT) warnings.push(message);
  };
  const visitor: BlobVisitor = {
    blob(header, what) {
      if (packages.length >= RPM_PACKAGE_LIMIT) throw new Unsupported(`rpm databases of more than ${RPM_PACKAGE_LIMIT} packages`);
      try {
        packages.push(parseRpmHeader(header));
      } catch (error) {
        if (!(error instanceof GuestlessError)) throw error;
        warn(`${what}: ${error.message}`);
      }
    },
    damaged: (error) => warn(error.message),
  };
  if (database.backend === 'sqlite') yield* readSqlite(database.file, database.log, visitor);
  else if (database.backend === 'ndb') yield* readNdb(database.file, visitor);
  else yield* readBdb(database.file, visitor);
  return { packages, warnings };
}

/** The databases that fixtures/packages/make.sh makes with rpm, SQLite and db_load. */
import * as fs from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Bytes } from '../../src/bytes/index.ts';
import { fileOfBytes, type RpmDatabase } from '../../src/packages/index.ts';

const FOLDER = new URL('../../fixtures/packages/', import.meta.url);

export function fixture(name: string): Bytes {
  return new Uint8Array(gunzipSync(fs.readFileSync(new URL(`${name}.gz`, FOLDER))));
}

/** What `rpm -qa` says of each package, sorted by name. */
export interface Golden {
  readonly name: string;
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
  readonly architecture: string | null;
  readonly url: string | null;
  readonly summary: string;
  readonly description: string;
  readonly source: string | null;
}

export function golden(): Golden[] {
  return JSON.parse(fs.readFileSync(new URL('golden.json', FOLDER), 'utf8')) as Golden[];
}

export const sqlite = (file: Bytes, log?: Bytes): RpmDatabase => ({
  backend: 'sqlite',
  file: fileOfBytes(file),
  log: log === undefined ? undefined : fileOfBytes(log),
});
export const ndb = (file: Bytes): RpmDatabase => ({ backend: 'ndb', file: fileOfBytes(file) });
export const bdb = (file: Bytes): RpmDatabase => ({ backend: 'bdb', file: fileOfBytes(file) });

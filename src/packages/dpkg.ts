/** dpkg's database: /var/lib/dpkg/status, stanzas in the syntax of Debian control files (deb822(5), dpkg-query(1)). */
import { type Package, present, splitVersion } from './package.ts';
import { forEachLine } from './records.ts';

/** The fields of a stanza that are looked at, as they stand there; `version` is not yet split. */
export interface DpkgRecord {
  readonly name: string;
  /** Three words: want, flag, state. Undefined in the files of status.d, which have no such field. */
  readonly status: string | undefined;
  readonly version: string;
  readonly architecture: string;
  readonly source: string | undefined;
  readonly homepage: string | undefined;
  /** The first line of Description. */
  readonly synopsis: string | undefined;
  /** Its other lines without their first space, a line of a lone `.` as it stands there. */
  readonly extended: string | undefined;
}

const WANTED: ReadonlySet<string> = new Set(['package', 'status', 'version', 'architecture', 'source', 'homepage', 'description']);

/** All stanzas that name a package, installed or not; the last one needs no empty line behind it. */
export function parseDpkgRecords(text: string): DpkgRecord[] {
  const records: DpkgRecord[] = [];
  let fields = new Map<string, string>();
  let extended: string[] | undefined;
  const description: { lines: string[] | undefined } = { lines: undefined };
  const finish = (): void => {
    const name = fields.get('package');
    if (name !== undefined) {
      records.push({
        name,
        status: fields.get('status'),
        version: fields.get('version') ?? '',
        architecture: fields.get('architecture') ?? '',
        source: fields.get('source'),
        homepage: fields.get('homepage'),
        synopsis: fields.get('description'),
        extended: description.lines === undefined || description.lines.length === 0 ? undefined : description.lines.join('\n'),
      });
    }
    fields = new Map();
    description.lines = extended = undefined;
  };
  forEachLine(text, (line) => {
    if (line.trim() === '') return finish();
    if (line[0] === ' ' || line[0] === '\t') {
      extended?.push(line.slice(1));
      return;
    }
    extended = undefined;
    const colon = line.indexOf(':');
    if (colon <= 0 || line[0] === '#') return;
    const key = line.slice(0, colon).toLowerCase();
    if (!WANTED.has(key)) return;
    fields.set(key, line.slice(colon + 1).trim());
    if (key === 'description') description.lines = extended = [];
  });
  finish();
  return records;
}

/** Whether a record stands for a package whose files are there: the state is exactly `installed`, or the file keeps no states. */
export function isInstalled(record: DpkgRecord): boolean {
  return record.status === undefined || record.status.split(/[ \t]+/)[2] === 'installed';
}

/** The package of a record: the version split at its first colon and its last hyphen. */
export function packageOfDpkg(record: DpkgRecord): Package {
  const { name, version, architecture, source, homepage: url, synopsis: summary, extended: description } = record;
  return { name, ...splitVersion(version), architecture, ...present({ summary, description, url, source }) };
}

/** The installed packages of a status file, in its order. */
export function parseDpkgStatus(text: string): Package[] {
  return parseDpkgRecords(text)
    .filter((record) => record.status !== undefined && isInstalled(record))
    .map(packageOfDpkg);
}

/** The packages of a file of /var/lib/dpkg/status.d, which images that are built without dpkg keep: one for each package, without states. */
export function parseDpkgStatusPart(text: string): Package[] {
  return parseDpkgRecords(text).filter(isInstalled).map(packageOfDpkg);
}

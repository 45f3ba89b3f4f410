/** apk's database: /lib/apk/db/installed, records of one-letter fields (apk-tools, "APKINDEX format" of the Alpine wiki). */
import { type Package, present, splitVersion } from './package.ts';
import { forEachLine } from './records.ts';

/** The packages of the database, in its order; the last record needs no empty line behind it. */
export function parseApkInstalled(text: string): Package[] {
  const packages: Package[] = [];
  let fields = new Map<string, string>();
  const finish = (): void => {
    const name = fields.get('P');
    if (name !== undefined) {
      packages.push({
        name,
        ...splitVersion(fields.get('V') ?? ''),
        architecture: fields.get('A') ?? '',
        ...present({ summary: fields.get('T'), url: fields.get('U'), source: fields.get('o') }),
      });
    }
    fields = new Map();
  };
  forEachLine(text, (line) => {
    if (line === '') return finish();
    // The files of a package follow under F, R, a and Z: the first field of a letter counts.
    const letter = line[0] as string;
    if (line[1] === ':' && 'PVATUo'.includes(letter) && !fields.has(letter)) fields.set(letter, line.slice(2));
  });
  finish();
  return packages;
}

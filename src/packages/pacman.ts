/** pacman's database: /var/lib/pacman/local/NAME-VERSION/desc, `%FIELD%` lines each followed by values (alpm, be_local). */
import { type Package, present, splitVersion } from './package.ts';
import { forEachLine } from './records.ts';

/** The package that a desc file describes; undefined when it names none. */
export function parsePacmanDescription(text: string): Package | undefined {
  const fields = new Map<string, string>();
  let key: string | undefined;
  forEachLine(text, (line) => {
    if (line === '') key = undefined;
    else if (key !== undefined) {
      if (!fields.has(key)) fields.set(key, line);
    } else if (line.length > 2 && line.startsWith('%') && line.endsWith('%')) key = line.slice(1, -1);
  });
  const name = fields.get('NAME');
  if (name === undefined) return undefined;
  return {
    name,
    ...splitVersion(fields.get('VERSION') ?? ''),
    architecture: fields.get('ARCH') ?? '',
    ...present({ summary: fields.get('DESC'), url: fields.get('URL'), source: fields.get('BASE') }),
  };
}

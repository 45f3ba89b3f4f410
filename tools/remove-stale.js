// Removes what the compiler once made in dist of sources that are no more: tsc never does, and all of dist is published.
import * as fs from 'node:fs';
import * as path from 'node:path';

const MADE = /[.](js|d[.]ts)([.]map)?$/;

for (const entry of fs.readdirSync('dist', { recursive: true, withFileTypes: true })) {
  const made = path.relative('dist', path.join(entry.parentPath ?? entry.path, entry.name));
  if (!entry.isFile() || !MADE.test(made) || made.startsWith('web')) continue;
  if (!fs.existsSync(path.join('src', made.replace(MADE, '.ts')))) fs.rmSync(path.join('dist', made));
}

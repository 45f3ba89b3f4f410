/** `appliance env`: how libguestfs finds guestless. */
import { encodeName } from '../bytes/text.ts';
import type { Run } from './declaration.ts';

/** A word that a shell reads back as it is. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export const applianceEnv: Run = function* (_invocation, host, output) {
  const { folder, hasQemuImg } = host.installation();
  const exports: [string, string][] = [
    ['LIBGUESTFS_BACKEND', 'direct'],
    ['LIBGUESTFS_HV', `${folder}/appliance/guestless-appliance`],
    ['LIBGUESTFS_PATH', `${folder}/appliance/boot`],
  ];
  const lines = exports.map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  if (!hasQemuImg) lines.push(`export PATH=${quoted(`${folder}/appliance/bin`)}:"$PATH"\n`);
  yield* output.write(encodeName(lines.join('')));
  return 0;
};

/** The program that started this one in place of a hypervisor. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeName } from '../bytes/text.ts';

/** Words of a command line that are looked at. */
const MOST_WORDS = 256;

/**
 * The files that the client was told to open, as words of its command line: what a user names there is trusted, also where a temporary overlay of the
 * client's own names it as its backing file (virt-sparsify makes such). Empty where /proc does not tell.
 */
export function filesNamedToClient(processId: number = process.ppid): readonly string[] {
  try {
    const folder = fs.readlinkSync(`/proc/${processId}/cwd`);
    const words = decodeName(fs.readFileSync(`/proc/${processId}/cmdline`))
      .split('\0')
      .slice(1, MOST_WORDS);
    return words
      .filter((word) => word !== '')
      .map((word) => path.resolve(folder, word))
      .filter(isFile);
  } catch {
    return [];
  }
}

/** Folders do not count: they would let everything below them in. */
function isFile(name: string): boolean {
  const stat = fs.statSync(name, { throwIfNoEntry: false });
  return stat !== undefined && (stat.isFile() || stat.isBlockDevice());
}

/** Names of files as verbs get them. */
import { Posix } from '../../errors.ts';
import type { FileKind } from '../../filesystem/filesystem.ts';

/** The path of a name in a directory. */
export function inDirectory(directory: string, name: string): string {
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}

const LETTERS: Readonly<Record<FileKind, string>> = {
  block: 'b',
  character: 'c',
  directory: 'd',
  fifo: 'f',
  symlink: 'l',
  file: 'r',
  socket: 's',
};

/** The letter of a kind in the API's directory entries; u for what the directory does not tell. */
export function kindLetter(kind: FileKind | undefined): string {
  return kind === undefined ? 'u' : LETTERS[kind];
}

/** Throws EINVAL for a negative number that counts something. */
export function requireCount(count: number, what: string): void {
  if (count < 0) throw new Posix('EINVAL', {}, `${what} is negative: ${count}`);
}

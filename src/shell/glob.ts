/** `glob`: a command's arguments, for each combination of what their wildcards match. */
import { globMatcher } from '../guest/glob.ts';
import type { Io } from '../io/effect.ts';
import { ShellError } from './error.ts';
import type { Session } from './session.ts';

/** The most combinations that are run. */
const COMBINATIONS = 1_000_000;

/** All combinations, the last argument changing fastest. An argument that matches nothing stays as it is. */
export function* globWords(session: Session, words: readonly string[]): Io<string[][]> {
  let rows: string[][] = [[]];
  for (const word of words) {
    const matches = yield* expand(session, word);
    if (rows.length * matches.length > COMBINATIONS) throw new ShellError(`glob: more than ${COMBINATIONS} combinations`);
    rows = rows.flatMap((row) => matches.map((match) => [...row, match]));
  }
  return rows;
}

function* expand(session: Session, word: string): Io<readonly string[]> {
  if (!word.startsWith('/')) return [word];
  const found = word.startsWith('/dev/') ? yield* devices(session, word) : yield* session.call('glob_expand', { pattern: word });
  return found.length === 0 ? [word] : found;
}

function* devices(session: Session, pattern: string): Io<string[]> {
  const matches = globMatcher(pattern);
  return [...(yield* session.call('list_devices', {})), ...(yield* session.call('list_partitions', {}))].filter(matches);
}

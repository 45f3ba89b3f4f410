/** `fish`: a door that has a shell starts it before the table is asked. */
import { Unsupported } from '../errors.ts';
import type { Run } from './declaration.ts';

// biome-ignore lint/correctness/useYield: a command like the others
export const fish: Run = function* () {
  throw new Unsupported('fish', 'the shell is a part of the command line tool; this door has none');
};

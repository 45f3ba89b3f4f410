/** The shell as a program: `guestless fish`. */
import { runFish } from './fish/index.ts';
import { report } from './report.ts';
import { rawWords } from './words.ts';

void runFish(rawWords().slice(1))
  .catch((error: unknown) => report(error, false))
  .then((status) => process.exit(status));

/** Everything that a session knows besides the verbs of the table. */
import { LIBRARY } from './library/index.ts';
import { findOwnCommand } from './own-commands/index.ts';
import type { Vocabulary } from './session.ts';

export const VOCABULARY: Vocabulary = { library: LIBRARY, findOwnCommand };

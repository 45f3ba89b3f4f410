/** `cat`: the bytes of files. */

import type { Io } from '../io/effect.ts';
import type { Run } from './declaration.ts';
import { openTree } from './open.ts';

/** Bytes read at once. */
const CHUNK = 1 << 20;

export const cat: Run = function* (invocation, host, output): Io<number> {
  const tree = yield* openTree(invocation, host);
  for (const path of invocation.arguments('PATH')) {
    yield* tree.forEachChunk(path, { chunkSize: CHUNK }, (chunk) => output.write(chunk));
  }
  return 0;
};

/** The words of the command line. */
import * as fs from 'node:fs';
import { decodeName } from '../bytes/text.ts';

/**
 * The words after the program's name, losslessly: Node.js turns bytes that are no UTF-8 into U+FFFD, so where that may have happened the
 * words are read again from the kernel (Linux), and such bytes become lone surrogates as everywhere in this library.
 */
export function rawWords(): readonly string[] {
  const words = process.argv.slice(2);
  if (!words.some((word) => word.includes('\ufffd'))) return words;
  try {
    const all = fs.readFileSync('/proc/self/cmdline');
    const raw: string[] = [];
    for (let start = 0; start < all.length; ) {
      const end = all.indexOf(0, start);
      raw.push(decodeName(all.subarray(start, end < 0 ? all.length : end)));
      start = end < 0 ? all.length : end + 1;
    }
    const last = raw.slice(-words.length);
    return last.length === words.length ? last : words;
  } catch {
    return words;
  }
}

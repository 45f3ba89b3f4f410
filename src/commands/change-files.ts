/** `write`, `truncate`, `setfattr`: contents and attributes of files. */
import { concatBytes, encodeName } from '../bytes/text.ts';
import { Refused } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import type { Run } from './declaration.ts';
import { editImage } from './edit.ts';
import { parseSize } from './size.ts';

export const write: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, (tree) =>
    tree.writeFrom(invocation.argument('PATH'), { existing: invocation.has('--append') ? 'append' : 'replace' }, () => host.readInput()),
  );

export const truncate: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, (tree) => tree.truncate(invocation.argument('PATH'), parseSize(invocation.argument('SIZE'))));

export const setfattr: Run = (invocation, host): Io<number> =>
  editImage(invocation, host, (tree) => {
    const options = { followLast: !invocation.has('--no-dereference') };
    return tree.setxattr(invocation.argument('PATH'), invocation.argument('NAME'), attributeValue(invocation.argument('VALUE')), options);
  });

/** As setfattr(1): text in double quotes with octal escapes, `0x` and hexadecimal digits, `0s` and base64, or plain text. */
export function attributeValue(text: string): Uint8Array {
  if (/^0x/i.test(text)) {
    const digits = text.slice(2);
    if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) throw new Refused(`'${text}' is no hexadecimal value`);
    return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  }
  if (/^0s/i.test(text)) return base64(text.slice(2));
  if (!(text.length >= 2 && text.startsWith('"') && text.endsWith('"'))) return encodeName(text);
  const parts = text.slice(1, -1).match(/\\[0-3][0-7]{2}|\\[\s\S]|[^\\]+/g) ?? [];
  return concatBytes(
    ...parts.map((part) => {
      if (/^\\[0-3]/.test(part) && part.length === 4) return Uint8Array.of(Number.parseInt(part.slice(1), 8));
      return encodeName(part.startsWith('\\') ? part.slice(1) : part);
    }),
  );
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function base64(text: string): Uint8Array {
  const digits = text.replace(/={0,2}$/, '');
  if (!/^[A-Za-z0-9+/]*$/.test(digits) || digits.length % 4 === 1) throw new Refused(`'0s${text}' is no base64 value`);
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let gathered = 0;
  let count = 0;
  let at = 0;
  for (const digit of digits) {
    gathered = ((gathered << 6) | ALPHABET.indexOf(digit)) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[at++] = (gathered >> count) & 0xff;
    }
  }
  return bytes;
}

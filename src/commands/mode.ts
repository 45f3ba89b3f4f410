/** Permission bits as chmod(1) takes them. */
import { Refused } from '../errors.ts';

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };
const CLAUSE = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/;

/** The new bits: octal digits, or clauses such as `u+x,go=r`, on the bits of now. Throws Refused for anything else. */
export function applyMode(text: string, now: number, directory: boolean): number {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  let bits = now & 0o7777;
  for (const clause of text.split(',')) {
    const match = CLAUSE.exec(clause);
    if (match === null) throw new Refused(`'${text}' is no mode: octal digits, or clauses such as u+x,go-w`);
    const who = match[1] === '' ? 0o7777 : [...(match[1] ?? '')].reduce((mask, letter) => mask | (WHO[letter] ?? 0), 0);
    for (const [, operator, what = ''] of (match[2] ?? '').matchAll(/([-+=])([rwxXstugo]*)/g)) {
      const change = permissionBits(what, bits, directory) & who;
      if (operator === '+') bits |= change;
      else if (operator === '-') bits &= ~change;
      else bits = (bits & ~(who & (directory ? 0o1777 : 0o7777))) | change;
    }
  }
  return bits;
}

function permissionBits(what: string, now: number, directory: boolean): number {
  if (/^[ugo]$/.test(what)) {
    const triple = (now >> (what === 'u' ? 6 : what === 'g' ? 3 : 0)) & 7;
    return triple * 0o111;
  }
  let bits = 0;
  for (const letter of what) {
    if (letter === 'r') bits |= 0o444;
    else if (letter === 'w') bits |= 0o222;
    else if (letter === 'x') bits |= 0o111;
    else if (letter === 'X') bits |= directory || (now & 0o111) !== 0 ? 0o111 : 0;
    else if (letter === 's') bits |= 0o6000;
    else if (letter === 't') bits |= 0o1000;
  }
  return bits;
}

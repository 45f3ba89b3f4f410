/** The prompt, and other strings of the environment that go to the terminal. */
import { type Bytes, concatBytes, decodeName, encodeName } from '../bytes/index.ts';

/** The prompt where the environment sets none. */
export const PROMPT = '><fs> ';

/**
 * Decodes the escapes of GUESTFISH_PS1, _OUTPUT, _INIT and _RESTORE: `\\ \a \e \n \r \NNN \xNN`. What stands between `\[` and `\]` takes no
 * room on the screen; `width` counts the characters that do.
 */
export function decodePrompt(text: string): { readonly text: string; readonly width: number } {
  const parts: Bytes[] = [];
  let width = 0;
  let hidden = false;
  const take = (bytes: Bytes): void => {
    parts.push(bytes);
    if (!hidden) width++;
  };
  for (const [piece] of text.matchAll(/\\(?:x[0-9a-f]{2}|[0-3][0-7]{2}|.)|[\s\S]/giu)) {
    if (piece === '\\[') hidden = true;
    else if (piece === '\\]') hidden = false;
    else take(piece.startsWith('\\') && piece.length > 1 ? escaped(piece.slice(1)) : encodeName(piece));
  }
  return { text: decodeName(concatBytes(...parts)), width };
}

const LETTERS: Readonly<Record<string, number>> = { a: 0x07, e: 0x1b, n: 0x0a, r: 0x0d };

function escaped(text: string): Bytes {
  const known = LETTERS[text];
  if (known !== undefined) return Uint8Array.of(known);
  if (/^x[0-9a-f]{2}$/i.test(text)) return Uint8Array.of(Number.parseInt(text.slice(1), 16));
  if (/^[0-7]{3}$/.test(text)) return Uint8Array.of(Number.parseInt(text, 8));
  return encodeName(text);
}

/** What an interactive shell says first. */
export const WELCOME = `This is guestless fish: guestfish's language, no appliance.
help lists first steps, help COMMAND tells of one, Tab completes, quit ends.

`;

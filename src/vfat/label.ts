/** The volume label: an entry of the root directory, else the boot sector's. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { type CodePage, decodeCodePage, encodeCharacter } from './codepage.ts';
import type { Volume } from './volume.ts';
import { encodeWtf8 } from './wtf8.ts';

/** Bytes of a label, filled with spaces. */
const LABEL_LENGTH = 11;
const SPACE = 0x20;
/** What a boot sector says where there is no label. */
const NO_LABEL = 'NO NAME';

/** Finds the label: the root directory's entry, else the boot sector's. A root directory that cannot be read gives a warning. */
export function* readLabel(volume: Volume): Io<Bytes> {
  const { bootLabel } = volume.geometry;
  let text = '';
  try {
    const root = yield* volume.directory(volume.rootNode());
    text = root.label?.text ?? '';
  } catch (error) {
    if (!(error instanceof Corrupt)) throw error;
    volume.warn(`the root directory cannot be read: ${error.message}`);
  }
  if (text === '' && bootLabel !== undefined) {
    const own = decodeCodePage(volume.codePage, bootLabel).replace(/[ \0]+$/, '');
    if (own !== NO_LABEL) text = own;
  }
  return encodeWtf8(text);
}

/** A new label's 11 bytes; undefined where it cannot be stored. */
export function encodeLabel(text: string, page: CodePage): Bytes | undefined {
  const name = new Uint8Array(LABEL_LENGTH).fill(SPACE);
  if (text.length > LABEL_LENGTH || /^ |[\u0000-\u001f"*+,./:;<=>?[\\\]|]/.test(text)) return undefined;
  for (const [i, character] of [...text].entries()) {
    const byte = encodeCharacter(page, character);
    if (byte === undefined) return undefined;
    name[i] = byte;
  }
  return name;
}

/** What a boot sector holds for a label. */
export function bootSectorLabel(text: string, encoded: Bytes): Bytes {
  return text === '' ? Uint8Array.from(NO_LABEL.padEnd(LABEL_LENGTH), (each) => each.charCodeAt(0)) : encoded;
}

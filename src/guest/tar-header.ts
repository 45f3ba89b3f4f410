/** What a header of a tar archive says of its member. */
import { type Bytes, concatBytes, decodeName, untilNul } from '../bytes/index.ts';
import { readTarNumber, USTAR } from './tar-format.ts';

const SLASH = Uint8Array.of(0x2f);
const NO_DEVICE = { major: 0, minor: 0 } as const;
const OWNER_LENGTH = 32;

/** Decodes a name of an owner; the same as the time before, as a rule. */
export class OwnerNames {
  readonly #bytes: Bytes = new Uint8Array(OWNER_LENGTH);
  #name = '';

  decode(header: Bytes, at: number): string {
    let i = 0;
    while (i < OWNER_LENGTH && header[at + i] === this.#bytes[i]) i++;
    if (i < OWNER_LENGTH) {
      this.#bytes.set(header.subarray(at, at + OWNER_LENGTH));
      this.#name = decodeName(untilNul(this.#bytes));
    }
    return this.#name;
  }
}

/** Prefix and name. */
export function headerName(header: Bytes): Bytes {
  const plain = untilNul(header.subarray(USTAR.name, USTAR.name + 100));
  if (header[USTAR.magic + 5] !== 0 || header[USTAR.prefix] === 0) return plain.slice();
  return concatBytes(untilNul(header.subarray(USTAR.prefix, USTAR.prefix + 155)), SLASH, plain);
}

/** Very old archives mark a directory by a slash alone. */
export function markedDirectory(kind: string, name: Bytes, stored: number): boolean {
  return kind === 'file' && stored === 0 && name.at(-1) === 0x2f;
}

/** The numbers of a device; 0 and 0 for what is none. */
export function deviceOf(header: Bytes, kind: string): { readonly major: number; readonly minor: number } {
  if (kind !== 'character' && kind !== 'block') return NO_DEVICE;
  return { major: readTarNumber(header, USTAR.devmajor, 8), minor: readTarNumber(header, USTAR.devminor, 8) };
}

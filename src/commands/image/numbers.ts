/** Sizes as qemu-img writes and reads them. */
import type { Invocation } from '../invocation.ts';

const UNITS = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;

/** Three digits with the largest unit of which there is about one: `2.25 MiB`. */
export function humanSize(bytes: number): string {
  const unit = bytes === 0 ? 0 : Math.max(0, Math.floor(Math.floor(Math.log2(bytes / (1000 / 1024))) / 10));
  const value = threeDigits(bytes / 1024 ** unit);
  return `${value >= 1000 ? '1e+03' : value} ${UNITS[unit] ?? ''}B`;
}

/** As printf's `%.3g` rounds: what lies in the middle goes to the even digit. */
function threeDigits(value: number): number {
  const scale = value >= 100 ? 1 : value >= 10 ? 10 : value >= 1 ? 100 : 1000;
  const scaled = value * scale;
  const below = Math.floor(scaled);
  return (scaled - below === 0.5 ? below + (below & 1) : Math.round(scaled)) / scale;
}

/** A number of bytes with an optional suffix b, K, M, G, T, P or E (powers of 1024). Throws UsageError. */
export function parseSize(text: string, what: string, invocation: Invocation): number {
  const match = /^(\d+(?:\.\d+)?|0x[0-9a-f]+)([bkmgtpe]?)$/i.exec(text);
  const power = 'bkmgtpe'.indexOf((match?.[2] ?? '').toLowerCase() || 'b');
  const bytes = Math.floor(Number(match?.[1] ?? Number.NaN) * 1024 ** power);
  if (!Number.isSafeInteger(bytes)) throw invocation.wrongUse(`${what} wants a number of bytes such as 512 or 64K, not '${text}'`);
  return bytes;
}

/** `%#llx`: zero has no prefix. */
export function hexadecimal(value: number): string {
  return value === 0 ? '0' : `0x${value.toString(16)}`;
}

/** Numbers of bytes as people write them. */
import { Refused } from '../errors.ts';

const POWERS: Readonly<Record<string, number>> = { '': 0, K: 1, M: 2, G: 3, T: 4, P: 5, E: 6 };

/** `4096`, `4K`, `1.5G`, `2MiB`: powers of 1024. Throws Refused for anything else, and for what exceeds 2^53 - 1. */
export function parseSize(text: string): number {
  const match = /^(\d{1,16}(?:\.\d{1,6})?)([KMGTPE]?)(?:i?B)?$/i.exec(text);
  const size = match === null ? Number.NaN : Number(match[1]) * 1024 ** (POWERS[(match[2] ?? '').toUpperCase()] ?? 0);
  if (!Number.isSafeInteger(size)) throw new Refused(`'${text}' is no size: a number of bytes, with K, M, G, T, P or E for powers of 1024`);
  return size;
}

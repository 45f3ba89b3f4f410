/** Numbers as the shell writes them: decimal, octal after 0, hexadecimal after 0x, with the suffixes of sizes. */
import { ShellError } from './error.ts';

const POWERS = 'KMGTPEZY';
const INT = { min: -(2n ** 31n), max: 2n ** 31n - 1n };
const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
/** Digits beyond these overflow in any base; longer numbers are not looked at. */
const MAX_DIGITS = 64;

/**
 * The value of a number: an optional sign, digits in C's notation, then k K M G T P E Z Y for a power of 1024, with `iB` the same, with
 * `B` a power of 1000. A suffix alone counts as one of it. Undefined where it is no number.
 */
export function parseNumber(text: string): bigint | undefined {
  const parts = /^\s*([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)?(.*)$/is.exec(text);
  if (parts === null) return undefined;
  const [, sign, digits, suffix = ''] = parts;
  if (digits === undefined && (suffix === '' || sign !== '')) return undefined;
  if (digits !== undefined && digits.length > MAX_DIGITS) return undefined;
  const octal = digits !== undefined && /^0[0-7]+$/.test(digits);
  const size = digits === undefined ? 1n : BigInt(octal ? `0o${digits.slice(1)}` : digits);
  const scale = scaleOf(suffix);
  if (scale === undefined) return undefined;
  return (sign === '-' ? -size : size) * scale;
}

function scaleOf(suffix: string): bigint | undefined {
  if (suffix === '') return 1n;
  const unit = suffix.charAt(0) === 'k' ? 'K' : suffix.charAt(0);
  const power = POWERS.indexOf(unit) + 1;
  if (power === 0) return undefined;
  const rest = suffix.slice(1);
  if (rest === '' || rest === 'iB') return 1024n ** BigInt(power);
  return rest === 'B' || rest === 'D' ? 1000n ** BigInt(power) : undefined;
}

/** A number of 32 bits. Throws {@link ShellError}. */
export function parseInt32(text: string, argument: string): number {
  return Number(inside(text, argument, INT));
}

/** A number of 64 bits. Throws {@link ShellError}. */
export function parseInt64(text: string, argument: string): bigint {
  return inside(text, argument, INT64);
}

function inside(text: string, argument: string, range: typeof INT): bigint {
  const value = parseNumber(text);
  if (value === undefined) {
    throw new ShellError(`${argument}: "${text}" is no number; write 10, 012 or 0xa, and for sizes 10K, 10M, 10G`);
  }
  if (value < range.min || value > range.max) throw new ShellError(`${argument}: ${text} is out of range`);
  return value;
}

const TRUE = new Set(['1', 'true', 't', 'yes', 'y', 'on']);
const FALSE = new Set(['0', 'false', 'f', 'no', 'n', 'off']);

/** A truth value. Throws {@link ShellError}. */
export function parseBoolean(text: string, argument: string): boolean {
  const lower = text.toLowerCase();
  if (TRUE.has(lower)) return true;
  if (FALSE.has(lower)) return false;
  throw new ShellError(`${argument}: "${text}" is neither true nor false`);
}

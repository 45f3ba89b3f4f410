/** How names, sizes and times of the guest are shown. Everything here gives text, never markup. */
import type { Kind } from './protocol.ts';

/** Characters that would hide what a name is: controls, those that turn the direction of writing, and those without width. */
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** A name as text that a person can see: what is hidden is written out, bytes that are no UTF-8 as \xNN. */
export function shownName(name: string): string {
  return name.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0);
    if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
    if (code === 0x0a) return '\\n';
    if (code === 0x09) return '\\t';
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    return `\\u{${code.toString(16)}}`;
  });
}

/** What a terminal would take for colours and the like (ECMA-48 control sequences). */
const TERMINAL = /\u001b\[[0-?]*[ -/]*[@-~]/g;

/** What a program prints: lines and tabs stay, a terminal's colours are left out, and what is hidden is written out. */
export function shownOutput(text: string): string {
  return text
    .replace(TERMINAL, '')
    .replace(/\r\n/g, '\n')
    .split(/([\n\t])/)
    .map((part) => (part === '\n' || part === '\t' ? part : shownName(part)))
    .join('');
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function shownSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  if (unit === 0) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

export function shownTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return `${Math.floor(milliseconds / 1000)} s`;
  return date.toISOString().replace('T', ' ').slice(0, 19);
}

export function shownCount(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

export const KIND_NAME: Readonly<Record<Kind, string>> = {
  f: 'File',
  d: 'Directory',
  l: 'Symbolic link',
  c: 'Character device',
  b: 'Block device',
  p: 'Pipe',
  s: 'Socket',
  '?': 'Unknown',
};

/** `rwxr-sr-t` of the permission bits. */
export function shownPermissions(mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = (mode >> shift) & 7;
    const execute = (bits & 1) !== 0;
    const last = (mode & special) !== 0 ? (execute ? letter : letter.toUpperCase()) : execute ? 'x' : '-';
    return `${(bits & 4) !== 0 ? 'r' : '-'}${(bits & 2) !== 0 ? 'w' : '-'}${last}`;
  };
  return triple(6, 0o4000, 's') + triple(3, 0o2000, 's') + triple(0, 0o1000, 't');
}

export function joinPath(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

export function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

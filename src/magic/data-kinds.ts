/** Data files that guests have: pictures, databases, catalogues, keys; in the words of file(1). */
import type { Look } from './containers.ts';
import { type Head, printable } from './source.ts';

const starts =
  (magic: string, answer: string): Look =>
  (head) =>
    head.is(0, magic) ? answer : undefined;

const count = (number: number, noun: string): string => `${number === 0 ? 'no' : number} ${noun}${number === 1 ? '' : 's'}`;

/** RFC 8536; a file is "fat" when its first block holds data for old readers. */
const timezone: Look = (head) => {
  if (!head.is(0, 'TZif')) return undefined;
  const version = head.u8(4) === 0 ? 'old version' : `version ${String.fromCharCode(head.u8(4))}`;
  const numbers = [20, 24, 28, 32, 36, 40].map((at) => head.u32(at, false)) as [number, number, number, number, number, number];
  const [gmt, standard, leap, transitions, types, characters] = numbers;
  if (head.u8(4) !== 0 && types === 1 && transitions === 0 && characters === 1) return `timezone data (slim), ${version}`;
  const words = [
    `timezone data (fat), ${version}`,
    count(gmt, 'gmt time flag'),
    count(standard, 'std time flag'),
    count(leap, 'leap second'),
    count(transitions, 'transition time'),
    count(types, 'local time type'),
    count(characters, 'abbreviation char'),
  ];
  return words.join(', ');
};

/** gettext's manual, "The Format of GNU MO Files". */
const catalog: Look = (head) => {
  const little = head.u32(0) === 0x950412de;
  if (!little && head.u32(0, false) !== 0x950412de) return undefined;
  const u32 = (at: number): number => head.u32(at, little);
  const minor = u32(4) % 65_536;
  const plural = (number: number): string => (number > 1 ? 's' : '');
  let text = `GNU message catalog (${little ? 'little' : 'big'} endian), revision ${Math.floor(u32(4) / 65_536)}.${minor}, ${u32(8)} message${plural(u32(8))}`;
  if (minor === 0 && u32(12) !== 0x1c) text += `, at 0x${u32(12).toString(16)} string table`;
  if (minor > 0) {
    if (u32(12) !== 0x30) text += `, at 0x${u32(12).toString(16)} string table`;
    text += `, ${u32(36)} sysdep message${plural(u32(36))}`;
  }
  const table = u32(16);
  const line = (at: number): string => printable(head.text(at, 127).split(/[\r\n]/, 1)[0] ?? '');
  if (u32(table) > 0) text += `, ${line(u32(table + 4))}`;
  if (u32(table + 8) > 1) {
    let at = u32(table + 12);
    for (let skipped = 0; skipped < 2 && head.u8(at) === 0x0a; skipped++) at++;
    text += ` '${line(at)}'`;
  }
  return text;
};

const png: Look = (head) => {
  if (!head.is(0, '\x89PNG\r\n\x1a\n')) return undefined;
  if (!head.is(12, 'IHDR')) return 'PNG image data, CORRUPTED';
  const colours: Readonly<Record<number, string>> = {
    0: ' grayscale',
    2: '/color RGB',
    3: ' colormap',
    4: ' gray+alpha',
    6: '/color RGBA',
  };
  const depth = `${head.u8(24)}-bit${colours[head.u8(25)] ?? ''}`;
  return `PNG image data, ${head.u32(16, false)} x ${head.u32(20, false)}, ${depth}, ${head.u8(28) === 0 ? 'non-interlaced' : 'interlaced'}`;
};

const gif: Look = (head) =>
  head.is(0, 'GIF8') ? `GIF image data, version ${printable(head.text(3, 3))}, ${head.u16(6)} x ${head.u16(8)}` : undefined;

const jpeg: Look = (head) => {
  if (!head.is(0, '\xff\xd8\xff')) return undefined;
  const words = ['JPEG image data'];
  if (head.is(6, 'JFIF')) {
    words.push(`JFIF standard ${head.u8(11)}.${String(head.u8(12)).padStart(2, '0')}`);
    words.push(head.u8(13) === 0 ? 'aspect ratio' : `resolution (${head.u8(13) === 1 ? 'DPI' : 'DPCM'})`);
    words.push(`density ${head.u16(14, false)}x${head.u16(16, false)}`, `segment length ${head.u16(4, false)}`);
  } else if (head.is(6, 'Exif')) words.push('Exif standard: [TIFF image data]');
  for (let at = 2; head.u8(at) === 0xff && at < head.bytes.length; at += 2 + head.u16(at + 2, false)) {
    const marker = head.u8(at + 1);
    const frames: Readonly<Record<number, string>> = { 192: 'baseline', 193: 'extended sequential', 194: 'progressive' };
    const frame = frames[marker];
    if (frame !== undefined) {
      words.push(
        frame,
        `precision ${head.u8(at + 4)}`,
        `${head.u16(at + 7, false)}x${head.u16(at + 5, false)}`,
        `components ${head.u8(at + 9)}`,
      );
      break;
    }
    if (marker === 0xda || marker === 0xd9) break;
  }
  return words.join(', ');
};

const pdf: Look = (head) => {
  const version = /^%PDF-(\d)\.(\d)/.exec(head.text(0, 10));
  return version === null ? undefined : `PDF document, version ${version[1]}.${version[2]}`;
};

/** SQLite's "Database File Format". */
const sqlite: Look = (head) => {
  if (!head.is(0, 'SQLite format 3\0')) return undefined;
  const u32 = (at: number): number => head.u32(at, false);
  const words = ['SQLite 3.x database'];
  if (u32(68) !== 0) words.push(`application id ${u32(68)}`);
  if (u32(60) !== 0) words.push(`user version ${u32(60)}`);
  words.push(`last written using SQLite version ${u32(96)}`);
  if (head.u8(18) === 2) words.push('writer version 2');
  if (head.u8(19) === 2) words.push('read version 2');
  if (head.u16(16, false) !== 4096) words.push(`page size ${head.u16(16, false) === 1 ? 65_536 : head.u16(16, false)}`);
  words.push(`file counter ${u32(24)}`, `database pages ${u32(28)}`);
  if (u32(36) !== 0) words.push(`1st free page ${u32(32)}`, `free pages ${u32(36)}`);
  words.push(`cookie 0x${u32(40).toString(16)}`, `schema ${u32(44)}`);
  const encodings: Readonly<Record<number, string>> = { 1: 'UTF-8', 2: 'UTF-16 little endian', 3: 'UTF-16 big endian' };
  const encoding = encodings[u32(56)];
  if (encoding !== undefined) words.push(encoding);
  words.push(`version-valid-for ${u32(92)}`);
  return words.join(', ');
};

const berkeley: Look = (head) => {
  const kinds: Readonly<Record<number, string>> = { 340322: 'Btree', 398689: 'Hash', 270931: 'Queue', 264584: 'Log' };
  for (const little of [true, false]) {
    const kind = kinds[head.u32(12, little)];
    if (kind !== undefined)
      return `Berkeley DB (${kind}, version ${head.u32(16, little)}, ${little ? 'native' : 'big'} byte-order)`.replace(
        'native byte-order',
        'native byte-order',
      );
  }
  if (head.u32(0) === 0x061561) return `Berkeley DB 1.85 (Hash, version ${head.u32(4)}, native byte-order)`;
  return head.u32(0) === 0x053162 ? `Berkeley DB 1.85/1.86 (Btree, version ${head.u32(4)}, native byte-order)` : undefined;
};

/** term(5). */
const terminfo: Look = (head) => {
  const wide = head.u16(0) === 0x021e;
  if (!wide && head.u16(0) !== 0x011a) return undefined;
  if (head.u16(2) > 512 || head.u16(4) > 1024 || head.u16(6) > 1024 || head.size < 20) return undefined;
  const names = head.text(12, 128).split('|')[0] ?? '';
  if (!/^[\x21-\x7e][\x20-\x7e]*$/.test(names)) return undefined;
  return `Compiled ${wide ? '32-bit ' : ''}terminfo entry "${names}"`;
};

const LOCALE_CATEGORIES = [
  'LC_CTYPE',
  'LC_NUMERIC',
  'LC_TIME',
  'LC_COLLATE',
  'LC_MONETARY',
  'LC_MESSAGES',
  undefined,
  'LC_PAPER',
  'LC_NAME',
  'LC_ADDRESS',
  'LC_TELEPHONE',
  'LC_MEASUREMENT',
  'LC_IDENTIFICATION',
];

/** glibc's locale files (locale/localeinfo.h, LIMAGIC). */
const locale: Look = (head) => {
  const word = head.u32(0);
  if (word === 0x20090720) return 'glibc locale file LC_CTYPE';
  if (word === 0x20051017) return 'glibc locale file LC_COLLATE';
  const category = LOCALE_CATEGORIES.find((name, number) => name !== undefined && word === 0x20031100 + (0x15 ^ number));
  return category === undefined ? undefined : `glibc locale file ${category}`;
};

const certificate: Look = (head) => {
  if (head.u8(0) !== 0x30 || head.u8(1) !== 0x82 || head.u8(4) !== 0x30 || head.u8(5) !== 0x82) return undefined;
  return head.u32(8, false) === 0xa0030201 ? `Certificate, Version=${head.u8(12) + 1}` : undefined;
};

const git: Look = (head) => {
  const commit = /^commit ([0-9a-f]{40})/.exec(head.text(0, 47));
  return commit === null ? undefined : `Git commit ${commit[1]}`;
};

const pixmap: Look = (head) => {
  if (!head.is(0, '/* XPM */')) return undefined;
  const values = /"\s{0,8}(\d{1,6})\s{1,8}(\d{1,6})\s{1,8}(\d{1,6})\s{1,8}(\d{1,3})/.exec(head.text(0, 512));
  const numbers = values === null ? '' : `, ${values[1]} x ${values[2]} x ${values[3]}, ${values[4]} chars/pixel`;
  return `X pixmap image text${numbers}`;
};

const PEM: readonly (readonly [string, string])[] = [
  ['CERTIFICATE-----', 'PEM certificate'],
  ['CERTIFICATE REQ', 'PEM certificate request'],
  ['RSA PRIVATE', 'PEM RSA private key'],
  ['DSA PRIVATE', 'PEM DSA private key'],
  ['EC PRIVATE', 'PEM EC private key'],
  ['OPENSSH PRIVATE KEY-----', 'OpenSSH private key'],
  ['PGP PUBLIC KEY BLOCK-', 'PGP public key block Public-Key (old)'],
  ['PGP PRIVATE KEY BLOCK-', 'PGP private key block'],
  ['PGP MESSAGE-', 'PGP message'],
  ['PGP SIGNED MESSAGE-', 'PGP signed message'],
  ['PGP SIGNATURE-', 'PGP signature Signature (old)'],
];

const pem: Look = (head) => {
  if (!head.is(0, '-----BEGIN ')) return undefined;
  return PEM.find(([magic]) => head.is(11, magic))?.[1];
};

const SSH_KEYS: readonly (readonly [string, string])[] = [
  ['ssh-rsa ', 'OpenSSH RSA public key'],
  ['ssh-dss ', 'OpenSSH DSA public key'],
  ['ssh-ed25519 ', 'OpenSSH ED25519 public key'],
  ['ecdsa-sha2-nistp', 'OpenSSH ECDSA public key'],
];

const journal: Look = (head) => {
  if (!head.is(0, 'LPKSHHRH')) return undefined;
  const states = ['offline', 'online', 'archived'];
  return `Journal file, ${states[head.u8(16)] ?? 'unknown'}`;
};

const DATA_KINDS: readonly Look[] = [
  timezone,
  catalog,
  png,
  gif,
  jpeg,
  pdf,
  sqlite,
  berkeley,
  terminfo,
  locale,
  certificate,
  git,
  pixmap,
  pem,
  (head) => SSH_KEYS.find(([magic]) => head.is(0, magic))?.[1],
  journal,
  (head) => (head.is(0, 'RIFF') && head.is(8, 'WEBP') ? 'RIFF (little-endian) data, Web/P image' : undefined),
  (head) =>
    head.is(0, 'BM') && head.u32(14) === 40
      ? `PC bitmap, Windows 3.x format, ${head.u32(18)} x ${head.u32(22)} x ${head.u16(28)}`
      : undefined,
  (head) =>
    head.is(0, 'OTTO')
      ? 'OpenType font data'
      : head.u32(0, false) === 0x00010000 && head.u8(4) === 0 && head.u8(5) < 64
        ? 'TrueType Font data'
        : undefined,
  starts('wOFF', 'Web Open Font Format'),
  starts('wOF2', 'Web Open Font Format (Version 2)'),
  starts('\x01fcp', 'X11 Portable Compiled Font data'),
  starts('regf', 'MS Windows registry file, NT/2000 or above'),
  starts('%!PS', 'PostScript document text'),
  starts('MSCF\0\0\0\0', 'Microsoft Cabinet archive data'),
  starts('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'Composite Document File V2 Document'),
  starts('fLaC', 'FLAC audio bitstream data'),
  starts('OggS', 'Ogg data'),
  starts('ID3', 'Audio file with ID3'),
  starts('\x13WMG', 'GNU dbm 1.x or ndbm database, little endian'),
  (head) => (head.u32(0) === 0x13579ace ? 'GNU dbm 1.x or ndbm database, little endian, old' : undefined),
  starts('glibc-ld.so.cache1.1', 'data'),
  starts('\0\0\0 ftyp', 'ISO Media'),
  (head) => (head.is(4, 'ftyp') ? 'ISO Media' : undefined),
  (head) => (head.u32(0) === 0xf97cff8c ? `SE Linux policy v${head.u32(4 + 4 + head.u32(4))}` : undefined),
  (head) => (head.u32(0) === 0x20010324 ? 'gconv module configuration cache data' : undefined),
  (head) => (head.is(0, '\x01gpg') ? `GPG key trust database version ${head.u8(4)}` : undefined),
  (head) => (head.is(8, 'KBXf') ? `GPG keybox database version ${head.u8(5)}` : undefined),
  starts('\0LOCATE', 'GNU findutils locate database data, format 02'),
];

/** What the beginning of a file is; undefined for text and unknown data. */
export function dataKind(head: Head): string | undefined {
  for (const look of DATA_KINDS) {
    const answer = look(head);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

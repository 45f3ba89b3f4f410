/** Compressed files: what their header says, and how to look inside. */
import type { StreamFormat } from '../codec/codecs.ts';
import { ctime } from './containers.ts';
import { type Head, printable } from './source.ts';

/** What a compressed file is, and the decoder for what is inside. */
export interface Packed {
  readonly name: string;
  readonly format?: StreamFormat;
}

/** RFC 1952, 2.3. */
const GZIP_SYSTEMS = [
  'FAT filesystem (MS-DOS, OS/2, NT)',
  'Amiga',
  'VMS',
  'Unix',
  'VM/CMS',
  'Atari',
  'HPFS filesystem (OS/2, NT)',
  'MacOS',
  'Z-System',
  'CP/M',
  'TOPS/20',
  'NTFS filesystem (NT)',
  'QDOS',
  'Acorn RISCOS',
];

function gzip(head: Head): Packed {
  const flags = head.u8(3);
  const words = ['gzip compressed data'];
  if ((flags & 1) !== 0) words.push('ASCII');
  if ((flags & 2) !== 0) words.push('has header CRC');
  let at = 10;
  if ((flags & 4) !== 0) {
    words.push('extra field');
    at += 2 + head.u16(10);
  }
  if ((flags & 8) !== 0) words.push(`was "${printable(head.text(at, 256))}"`);
  if ((flags & 16) !== 0) words.push('has comment');
  if ((flags & 32) !== 0) words.push('encrypted');
  if (head.u32(4) !== 0) words.push(`last modified: ${ctime(head.u32(4))}`);
  if (head.u8(8) === 2) words.push('max compression');
  if (head.u8(8) === 4) words.push('max speed');
  const system = GZIP_SYSTEMS[head.u8(9)];
  if (system !== undefined) words.push(`from ${system}`);
  return { name: words.join(', '), format: 'gzip' };
}

function xz(head: Head): Packed {
  const checks: Readonly<Record<number, string>> = { 0: 'NONE', 1: 'CRC32', 4: 'CRC64', 10: 'SHA-256' };
  const check = checks[head.u8(7) & 15];
  return { name: `XZ compressed data${check === undefined ? '' : `, checksum ${check}`}`, format: 'xz' };
}

function zstd(head: Head): Packed {
  const descriptor = head.u8(4);
  const at = (descriptor & 0x20) !== 0 ? 5 : 6;
  const sizes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const id = sizes === 0 ? 'None' : String(sizes === 1 ? head.u8(at) : sizes === 2 ? head.u16(at) : head.u32(at));
  return { name: `Zstandard compressed data (v0.8+), Dictionary ID: ${id}`, format: 'zstd' };
}

/** The compression that a file comes in; undefined when it comes in none. */
export function packedKind(head: Head): Packed | undefined {
  if (head.is(0, '\x1f\x8b')) return gzip(head);
  if (head.is(0, '\xfd7zXZ\0')) return xz(head);
  if (head.is(0, 'BZh')) return { name: `bzip2 compressed data, block size = ${String.fromCharCode(head.u8(3))}00k`, format: 'bzip2' };
  if (head.is(0, '\x28\xb5\x2f\xfd')) return zstd(head);
  if (head.is(0, '\x04\x22\x4d\x18')) return { name: 'LZ4 compressed data (v1.4+)', format: 'lz4' };
  if (head.is(0, '\x1f\x9d')) return { name: `compress'd data ${head.u8(2) & 0x80 ? 'block compressed ' : ''}${head.u8(2) & 31} bits` };
  if (head.is(0, 'LZIP')) return { name: `lzip compressed data, version: ${head.u8(4)}` };
  if (head.is(0, '\x89LZO\0\r\n\x1a\n'))
    return {
      name: `lzop compressed data - version ${(head.u16(9, false) / 4096).toFixed(0)}.${(head.u16(9, false) % 4096).toString(16).padStart(3, '0')}`,
    };
  return undefined;
}

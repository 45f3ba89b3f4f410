/** File systems, boot sectors and swap space on devices and in images, in the words of file(1). */
import { uuidText } from '../bytes/uuid.ts';
import type { Look } from './containers.ts';
import { type Head, printable } from './source.ts';

const uuid = (head: Head, at: number): string => uuidText(head.bytes.slice(at, at + 16));

/** ext2, ext3 and ext4 (Linux's fs/ext4/ext4.h); the type is told by the features. */
const ext: Look = (head) => {
  const at = 1024;
  if (head.u16(at + 56) !== 0xef53) return undefined;
  const compatible = head.u32(at + 92);
  const incompatible = head.u32(at + 96);
  const readOnly = head.u32(at + 100);
  const external = (incompatible & 8) !== 0;
  const journal = (compatible & 4) !== 0;
  const modern = (incompatible & ~0x1f) !== 0 || (readOnly & ~7) !== 0;
  const words = [`Linux rev ${head.u32(at + 76)}.${head.u16(at + 62)} ${modern ? 'ext4' : journal ? 'ext3' : 'ext2'} filesystem data`];
  const state = head.u16(at + 58);
  let first = words[0] ?? '';
  if ((state & 1) === 0) first += ' (mounted or unclean)';
  if ((state & 2) !== 0) first += ' (errors)';
  first += `, UUID=${uuid(head, at + 104)}`;
  const label = head.text(at + 120, 16);
  if (label !== '') first += `, volume name "${printable(label)}"`;
  if ((incompatible & 4) !== 0) first += ' (needs journal recovery)';
  if (external) first += ' (external journal)';
  if ((incompatible & 0x40) !== 0) first += ' (extents)';
  if ((incompatible & 0x80) !== 0) first += ' (64bit)';
  if ((readOnly & 2) !== 0) first += ' (large files)';
  if ((readOnly & 8) !== 0) first += ' (huge files)';
  return first;
};

const xfs: Look = (head) => {
  if (!head.is(0, 'XFSB')) return undefined;
  const version = head.u16(100, false) & 0xf;
  const directories = (head.u16(100, false) & 0x2000) !== 0 ? 'v2 dirs' : 'v1 dirs';
  return `SGI XFS filesystem data (blksz ${head.u32(4, false)}, inosz ${head.u16(104, false)}, ${version >= 4 ? directories : 'v1 dirs'})`;
};

const btrfs: Look = (head) => {
  if (!head.is(0x10040, '_BHRfS_M')) return undefined;
  const label = head.text(0x1012b, 256);
  const numbers = `sectorsize ${head.u32(0x10090)}, nodesize ${head.u32(0x10094)}, leafsize ${head.u32(0x10098)}`;
  const name = label === '' ? '' : `label "${printable(label)}", `;
  return `BTRFS Filesystem ${name}${numbers}, UUID=${uuid(head, 0x10020)}, ${head.u64(0x10078)}/${head.u64(0x10070)} bytes used, ${head.u64(0x10088)} devices`;
};

const swap: Look = (head) => {
  for (const page of [4096, 8192, 16_384, 65_536]) {
    if (!head.is(page - 10, 'SWAPSPACE2')) continue;
    const label = head.text(1052, 16);
    const name = label === '' ? 'no label' : `LABEL=${printable(label)}`;
    const numbers = `version ${head.u32(1024)}, size ${head.u32(1028)} pages, ${head.u32(1032)} bad pages`;
    return `Linux swap file, ${page / 1024}k page size, little endian, ${numbers}, ${name}, UUID=${uuid(head, 1036)}`;
  }
  return undefined;
};

/** The FAT boot sector: what differs from the common is told. */
function fat(head: Head): string | undefined {
  const sector = head.u16(11);
  if (![512, 1024, 2048, 4096].includes(sector) || head.u8(16) === 0 || head.u8(13) === 0 || head.u8(21) < 0xf0) return undefined;
  const jump = head.u8(0) === 0xeb ? `0x${head.u8(1).toString(16)}+2` : `0x${head.u16(1).toString(16)}+3`;
  const words = [`code offset ${jump}`];
  const oem = printable(head.text(3, 8));
  if (oem !== '') words.push(`OEM-ID "${oem}"`);
  if (sector !== 512) words.push(`Bytes/sector ${sector}`);
  if (head.u8(13) > 1) words.push(`sectors/cluster ${head.u8(13)}`);
  const wide = head.u16(22) === 0;
  if (head.u16(14) !== (wide ? 32 : 1)) words.push(`reserved sectors ${head.u16(14)}`);
  if (head.u8(16) !== 2) words.push(`FATs ${head.u8(16)}`);
  if (head.u16(17) !== 0) words.push(`root entries ${head.u16(17)}`);
  if (head.u16(19) !== 0) words.push(`sectors ${head.u16(19)} (volumes <=32 MB)`);
  words.push(`Media descriptor 0x${head.u8(21).toString(16)}`);
  if (head.u16(22) !== 0) words.push(`sectors/FAT ${head.u16(22)}`);
  words.push(`sectors/track ${head.u16(24)}`);
  if (head.u16(26) > 2) words.push(`heads ${head.u16(26)}`);
  if (head.u32(28) !== 0) words.push(`hidden sectors ${head.u32(28)}`);
  if (head.u32(32) !== 0) words.push(`sectors ${head.u32(32)} (volumes > 32 MB)`);
  if (wide) words.push(`FAT (32 bit), sectors/FAT ${head.u32(36)}`);
  const at = wide ? 64 : 36;
  if (head.u8(at + 2) === 0x29) {
    const label = printable(head.text(at + 7, 11));
    words.push(`serial number 0x${head.u32(at + 3).toString(16)}`, label === 'NO NAME    ' ? 'unlabeled' : `label: "${label}"`);
  }
  if (!wide) {
    const kind = /^FAT(12|16)/.exec(head.text(54, 8));
    if (kind !== null) words.push(`FAT (${kind[1]} bit)`);
  }
  return words.join(', ');
}

/** Partitions of an MBR that file(1) lists. */
function partitions(head: Head): string[] {
  const chs = (at: number): string => {
    const cylinder = ((head.u8(at + 1) & 0xc0) << 2) + head.u8(at + 2);
    return `(0x${cylinder.toString(16)},${head.u8(at)},${head.u8(at + 1) & 0x3f})`;
  };
  const found: string[] = [];
  for (let number = 1, at = 446; number <= 4; number++, at += 16) {
    if (head.u8(at + 4) === 0) continue;
    const active = head.u8(at) === 0x80 ? ' active,' : '';
    const where = `start-CHS ${chs(at + 1)}, end-CHS ${chs(at + 5)}, startsector ${head.u32(at + 8)}, ${head.u32(at + 12)} sectors`;
    found.push(`partition ${number} : ID=0x${head.u8(at + 4).toString(16)},${active} ${where}`);
  }
  return found;
}

const boot: Look = (head) => {
  if (head.u16(510) !== 0xaa55 || head.size < 512) return undefined;
  const jumps = head.u8(0) === 0xeb || head.u8(0) === 0xe9;
  const table = jumps ? undefined : partitions(head);
  if (table !== undefined && table.length > 0) return `DOS/MBR boot sector; ${table.join('; ')}, extended partition table (last)`;
  if (head.is(3, 'NTFS    ')) return `DOS/MBR boot sector, code offset 0x${head.u8(1).toString(16)}+2, OEM-ID "NTFS    "`;
  const volume = jumps ? fat(head) : undefined;
  return volume === undefined ? 'DOS/MBR boot sector' : `DOS/MBR boot sector, ${volume}`;
};

export const FILESYSTEM_KINDS: readonly Look[] = [
  ext,
  xfs,
  btrfs,
  swap,
  (head) => (head.is(0x218, 'LVM2 001') || head.is(0x18, 'LVM2 001') ? 'LVM2 PV (Linux Logical Volume Manager)' : undefined),
  (head) => (head.u32(1024) === 0xf2f52010 ? `F2FS filesystem, UUID=${uuid(head, 1132)}` : undefined),
  (head) => (head.u32(1024) === 0xe0f5e1e2 ? 'EROFS filesystem' : undefined),
  boot,
];

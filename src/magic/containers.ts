/** Archives, packages and disk images, in the words of file(1). */
import { type Head, printable } from './source.ts';

export type Look = (head: Head) => string | undefined;

const starts =
  (magic: string, answer: string): Look =>
  (head) =>
    head.is(0, magic) ? answer : undefined;

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A time of ctime(3) in UTC: `Tue May  9 10:00:00 2023`. */
export function ctime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${time} ${date.getUTCFullYear()}`;
}

/** is_tar.c: the checksum has to be right. */
const tar: Look = (head) => {
  if (head.size < 512 || !head.has(0, 512)) return undefined;
  let sum = 8 * 0x20;
  for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += head.u8(i);
  const field = /^ {0,7}([0-7]{1,8})/.exec(head.text(148, 8));
  if (field === null || Number.parseInt(field[1] ?? '', 8) !== sum || sum === 256) return undefined;
  if (head.is(257, 'ustar  \0')) return 'POSIX tar archive (GNU)';
  return head.is(257, 'ustar\0') ? 'POSIX tar archive' : 'tar archive';
};

const ar: Look = (head) => {
  if (!head.is(0, '!<arch>\n')) return undefined;
  if (!head.is(8, 'debian')) return 'current ar archive';
  const version = head.text(68, 4).trim();
  const control = head.text(72 + 0, 16);
  const member = /^(control|data)\.tar(?:\.(\w+))?/.exec(control);
  if (!head.is(8, 'debian-binary')) return 'Debian binary package';
  const packed = member === null ? '' : `, with control.tar.${member[2] ?? ''}`.replace(/\.$/, '');
  const data = dataMember(head);
  return `Debian binary package (format ${version})${packed}${data === undefined ? '' : `, data compression ${data}`}`;
};

function dataMember(head: Head): string | undefined {
  for (let at = 8, count = 0; count < 4; count++) {
    const size = Number.parseInt(head.text(at + 48, 10), 10);
    const name = /^data\.tar(?:\.(\w+))?/.exec(head.text(at, 16));
    if (name !== null) return name[1] ?? 'none';
    if (!(size >= 0)) return undefined;
    at += 60 + size + (size % 2);
  }
  return undefined;
}

const rpm: Look = (head) => {
  if (!head.is(0, '\xed\xab\xee\xdb')) return undefined;
  const kind = head.u16(6, false) === 1 ? 'src' : 'bin';
  const machines: Readonly<Record<number, string>> = {
    1: ' i386/x86_64',
    2: ' Alpha',
    5: ' PowerPC',
    12: ' ARM',
    14: ' S/390',
    15: ' S/390x',
    16: ' PowerPC64',
    19: ' AArch64',
  };
  return `RPM v${head.u8(4)}.${head.u8(5)} ${kind}${kind === 'bin' ? (machines[head.u16(8, false)] ?? '') : ''} ${printable(head.text(10, 66))}`;
};

const qcow: Look = (head) => {
  if (!head.is(0, 'QFI\xfb')) return undefined;
  const version = head.u32(4, false);
  const at = head.u64(8, false);
  const length = Math.min(head.u32(16, false), 1023);
  const backing = at === 0 ? '' : `, has backing file (path ${printable(head.text(at, length))})`;
  const encrypted = head.u32(32, false) === 1 ? ', AES-encrypted' : head.u32(32, false) === 2 ? ', LUKS-encrypted' : '';
  return `QEMU QCOW Image (v${version})${backing}, ${head.u64(24, false)} bytes${encrypted}`;
};

const vdi: Look = (head) => {
  if (head.u32(64) !== 0xbeda107f) return undefined;
  const creator = printable(head.text(0, 64).split('\n', 1)[0] ?? '');
  return `VirtualBox Disk Image, major ${head.u16(70)}, minor ${head.u16(68)}${creator === '' ? '' : ` (${creator})`}, ${head.u64(368)} bytes`;
};

const squashfs: Look = (head) => {
  const little = head.is(0, 'hsqs');
  if (!little && !head.is(0, 'sqsh')) return undefined;
  const packers = ['', 'zlib', 'lzma', 'lzo', 'xz', 'lz4', 'zstd'];
  const packer = packers[head.u16(20, little)] ?? 'unknown';
  const numbers = `${head.u64(40, little)} bytes, ${head.u32(4, little)} inodes, blocksize: ${head.u32(12, little)} bytes`;
  const version = `${head.u16(28, little)}.${head.u16(30, little)}`;
  return `Squashfs filesystem, ${little ? 'little' : 'big'} endian, version ${version}, ${packer} compressed, ${numbers}, created: ${ctime(head.u32(8, little))}`;
};

const METHODS: Readonly<Record<number, string>> = {
  0: 'store',
  8: 'deflate',
  9: 'deflate64',
  12: 'bzip2',
  14: 'lzma',
  93: 'zstd',
  95: 'xz',
};

const zip: Look = (head) => {
  if (head.is(0, 'PK\x05\x06')) return 'Zip archive data (empty)';
  if (!head.is(0, 'PK\x03\x04')) return undefined;
  const name = head.text(30, Math.min(head.u16(26), 256));
  if (name === 'META-INF/MANIFEST.MF' || name === 'META-INF/') return 'Java archive data (JAR)';
  if (name === 'mimetype' && head.is(38, 'application/vnd.oasis.opendocument.text')) return 'OpenDocument Text';
  const version = head.u16(4);
  return `Zip archive data, at least v${Math.floor(version / 10)}.${version % 10} to extract, compression method=${METHODS[head.u16(8)] ?? 'unknown'}`;
};

const iso: Look = (head) => {
  if (!head.is(0x8001, 'CD001')) return undefined;
  const label = printable(head.text(0x8028, 32).trimEnd());
  let bootable = '';
  for (let at = 0x8800; head.is(at + 1, 'CD001') && head.u8(at) !== 255; at += 2048)
    if (head.u8(at) === 0 && head.is(at + 7, 'EL TORITO')) bootable = ' (bootable)';
  if (head.is(0x8801, 'CD001') && head.u8(0x8800) === 0) bootable = ' (bootable)';
  return `ISO 9660 CD-ROM filesystem data '${label}'${bootable}`;
};

/** From the most certain to the least. */
export const CONTAINERS: readonly Look[] = [
  tar,
  starts('070707', 'ASCII cpio archive (pre-SVR4 or odc)'),
  starts('070701', 'ASCII cpio archive (SVR4 with no CRC)'),
  starts('070702', 'ASCII cpio archive (SVR4 with CRC)'),
  starts('\xc7\x71', 'cpio archive'),
  starts('\x71\xc7', 'byte-swapped cpio archive'),
  ar,
  rpm,
  (head) => (head.is(0, '7z\xbc\xaf\x27\x1c') ? `7-zip archive data, version ${head.u8(6)}.${head.u8(7)}` : undefined),
  zip,
  (head) => (head.is(0, 'Rar!\x1a\x07\x01') ? 'RAR archive data, v5' : head.is(0, 'Rar!\x1a\x07\0') ? 'RAR archive data, v4' : undefined),
  qcow,
  starts('KDMV', 'VMware4 disk image'),
  starts('COWD', 'VMware3 disk image'),
  vdi,
  starts('vhdxfile', 'Microsoft Disk Image eXtended'),
  starts('conectix', 'Microsoft Disk Image, Virtual Server or Virtual PC'),
  starts('LUKS\xba\xbe\0\x01', 'LUKS encrypted file, ver 1'),
  (head) =>
    head.is(0, 'LUKS\xba\xbe\0\x02')
      ? `LUKS encrypted file, ver 2, header size ${head.u64(8, false)}, ID ${head.u64(16, false)}`
      : undefined,
  squashfs,
  iso,
];

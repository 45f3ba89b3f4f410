/** Programs that are no ELF: kernels, PE and Mach-O images, byte code; in the words of file(1). */
import { ctime, type Look } from './containers.ts';
import { type Head, printable } from './source.ts';

/** Linux's Documentation/arch/x86/boot.rst. */
const kernel: Look = (head) => {
  if (!head.is(514, 'HdrS') || head.u16(510) !== 0xaa55) {
    if (head.is(56, 'ARMd')) return 'Linux kernel ARM64 boot executable Image, little-endian, 4K pages';
    return head.u32(36) === 0x016f2818 ? 'Linux kernel ARM boot executable zImage (little-endian)' : undefined;
  }
  const kind = (head.u8(529) & 1) !== 0 ? 'bzImage' : 'zImage';
  const words = [`Linux kernel x86 boot executable ${kind}`];
  if (head.u16(526) > 0) words.push(`version ${printable(head.text(head.u16(526) + 512, 256))}`);
  words.push(head.u16(498) === 1 ? 'RO-rootFS' : 'RW-rootFS');
  if (head.u16(508) > 0) words.push(`root_dev 0X${head.u16(508).toString(16).toUpperCase()}`);
  if (head.u16(502) > 0) words.push(`swap_dev 0X${head.u16(502).toString(16).toUpperCase()}`);
  if (head.u16(504) > 0) words.push(`RAMdisksize ${head.u16(504)} KB`);
  const mode = head.u16(506);
  words.push(
    mode === 0xffff ? 'Normal VGA' : mode === 0xfffe ? 'Extended VGA' : mode === 0xfffd ? 'Prompt for Videomode' : `Video mode ${mode}`,
  );
  return words.join(', ');
};

const PE_MACHINES: Readonly<Record<number, string>> = {
  332: 'Intel 80386',
  448: 'ARM',
  452: 'ARMv7 Thumb',
  512: 'Intel Itanium',
  34404: 'x86-64',
  43620: 'Aarch64',
  20580: 'RISC-V 64-bit',
};
const PE_SUBSYSTEMS: Readonly<Record<number, string>> = {
  1: ' (native)',
  2: ' (GUI)',
  3: ' (console)',
  7: ' (POSIX)',
  9: ' (Windows CE)',
  10: ' (EFI application)',
  11: ' (EFI boot service driver)',
  12: ' (EFI runtime driver)',
  13: ' (EFI ROM)',
  14: ' (XBOX)',
  16: ' (Windows boot application)',
};

/** Microsoft's PE format: where the header stands, and what it is for. */
export interface PortableExecutable {
  readonly machine: number;
  readonly wide: boolean;
}

export function portableExecutable(head: Head): PortableExecutable | undefined {
  const at = head.u32(60);
  if (!head.is(0, 'MZ') || !head.is(at, 'PE\0\0')) return undefined;
  const magic = head.u16(at + 24);
  return magic === 0x10b || magic === 0x20b ? { machine: head.u16(at + 4), wide: magic === 0x20b } : undefined;
}

const pe: Look = (head) => {
  if (!head.is(0, 'MZ')) return undefined;
  const found = portableExecutable(head);
  if (found === undefined) return 'MS-DOS executable';
  const at = head.u32(60);
  const library = (head.u16(at + 22) & 0x2000) !== 0 ? ' (DLL)' : '';
  const subsystem = PE_SUBSYSTEMS[head.u16(at + 92)] ?? ' (unknown)';
  const machine = PE_MACHINES[found.machine] ?? `unknown processor 0x${found.machine.toString(16)}`;
  const directories = at + 24 + (found.wide ? 112 : 96);
  const managed = head.u32(directories + 14 * 8) !== 0 ? ' Mono/.Net assembly,' : ',';
  const stripped = (head.u16(at + 22) & 0x200) !== 0 ? ' (stripped to external PDB),' : managed;
  const sections = head.u16(at + 6);
  const count = head.u16(at + 22) === 0 || sections < 2 ? '' : `, ${sections} sections`;
  return `PE32${found.wide ? '+' : ''} executable${library}${subsystem} ${machine}${stripped} for MS Windows${count}`;
};

const MACH_MACHINES: Readonly<Record<number, string>> = {
  7: 'i386',
  16777223: 'x86_64',
  12: 'arm',
  16777228: 'arm64',
  18: 'ppc',
  16777234: 'ppc64',
};
const MACH_TYPES: Readonly<Record<number, string>> = { 1: 'object', 2: 'executable', 6: 'dynamically linked shared library', 8: 'bundle' };

const macho: Look = (head) => {
  const big = head.u32(0, false);
  if (big === 0xcafebabe && head.u32(4, false) < 20) {
    const count = head.u32(4, false);
    return `Mach-O universal binary with ${count} architecture${count === 1 ? '' : 's'}`;
  }
  const little = [0xfeedface, 0xfeedfacf].includes(head.u32(0));
  if (!little && ![0xfeedface, 0xfeedfacf].includes(big)) return undefined;
  const wide = head.u32(0, little) === 0xfeedfacf;
  const machine = MACH_MACHINES[head.u32(4, little)] ?? 'unknown';
  return `Mach-O ${wide ? '64-bit ' : ''}${machine} ${MACH_TYPES[head.u32(12, little)] ?? 'file'}`;
};

const java: Look = (head) => {
  if (head.u32(0, false) !== 0xcafebabe || head.u32(4, false) < 20) return undefined;
  const major = head.u16(6, false);
  const name =
    major >= 49
      ? ` (Java ${major === 49 ? '1.5' : major === 50 ? '1.6' : major === 51 ? '1.7' : major === 52 ? '1.8' : `SE ${major - 44}`})`
      : '';
  return `compiled Java class data, version ${major}.${head.u16(4, false)}${name}`;
};

/** The first magic number of each version of CPython since 3.5 (Lib/importlib/_bootstrap_external.py). */
const CPYTHON: readonly (readonly [number, string])[] = [
  [3350, '3.5'],
  [3360, '3.6'],
  [3390, '3.7'],
  [3400, '3.8'],
  [3420, '3.9'],
  [3430, '3.10'],
  [3450, '3.11'],
  [3500, '3.12'],
  [3550, '3.13'],
];
const OLD_PYTHON: Readonly<Record<number, string>> = { 62211: '2.7', 3131: '3.0', 3151: '3.1', 3180: '3.2', 3230: '3.3', 3310: '3.4' };

const python: Look = (head) => {
  if (head.u8(2) !== 0x0d || head.u8(3) !== 0x0a) return undefined;
  const magic = head.u16(0);
  const old = OLD_PYTHON[magic];
  if (old !== undefined) return `python ${old} byte-compiled`;
  if (magic < 3350 || magic >= 3600) return undefined;
  const version = CPYTHON.findLast(([first]) => magic >= first)?.[1] ?? '';
  const flags = head.u32(4);
  const hashed = (flags & 1) !== 0;
  const what =
    magic < 3390 || !hashed
      ? 'timestamp-based'
      : (flags & 2) !== 0
        ? 'hash-based, check-source flag set'
        : 'hash-based, check-source flag unset';
  const at = magic < 3390 ? 4 : 8;
  const rest = hashed && at === 8 ? '' : `, .py timestamp: ${ctime(head.u32(at))} UTC, .py size: ${head.u32(at + 4)} bytes`;
  return `Byte-compiled Python module for CPython ${version}${version === '3.5' ? ' or newer' : ''}, ${what}${rest}`;
};

export const PROGRAM_KINDS: readonly Look[] = [kernel, pe, java, macho, python];

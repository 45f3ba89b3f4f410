/** What file(1) calls machines and systems of ELF. */
import { type ElfHeader, ET_CORE, ET_DYN, ET_EXEC, ET_REL } from './elf-format.ts';

/** Names of `e_machine`. */
export const ELF_MACHINES: Readonly<Record<number, string>> = {
  0: 'no machine',
  1: 'AT&T WE32100',
  2: 'SPARC',
  3: 'Intel 80386',
  4: 'Motorola m68k',
  5: 'Motorola m88k',
  6: 'Intel 80486',
  7: 'Intel 80860',
  8: 'MIPS',
  15: 'PA-RISC',
  18: 'SPARC32PLUS',
  20: 'PowerPC or cisco 4500',
  21: '64-bit PowerPC or cisco 7500',
  22: 'IBM S/390',
  40: 'ARM',
  42: 'Renesas SH',
  43: 'SPARC V9',
  50: 'IA-64',
  62: 'x86-64',
  83: 'Atmel AVR 8-bit',
  93: 'OpenRISC',
  94: 'Tensilica Xtensa',
  183: 'ARM aarch64',
  189: 'Xilinx MicroBlaze 32-bit RISC',
  243: 'UCB RISC-V',
  247: 'eBPF',
  258: 'LoongArch',
};

const MIPS_LEVELS = [
  'MIPS-I',
  'MIPS-II',
  'MIPS-III',
  'MIPS-IV',
  'MIPS-V',
  'MIPS32',
  'MIPS64',
  'MIPS32 rel2',
  'MIPS64 rel2',
  'MIPS32 rel6',
  'MIPS64 rel6',
];
const RISCV_FLOATS = ['soft-float ABI', 'single-float ABI', 'double-float ABI', 'quad-float ABI'];
const SPARC_MODELS = ['total store ordering', 'partial store ordering', 'relaxed store ordering'];

const SYSTEMS: Readonly<Record<number, string>> = {
  0: ' (SYSV)',
  1: ' (HP-UX)',
  2: ' (NetBSD)',
  3: ' (GNU/Linux)',
  4: ' (GNU/Hurd)',
  6: ' (Solaris)',
  7: ' (Monterey)',
  8: ' (IRIX)',
  9: ' (FreeBSD)',
  10: ' (Tru64)',
  11: ' (Novell Modesto)',
  12: ' (OpenBSD)',
  97: ' (ARM)',
  255: ' (embedded)',
};

const TYPES: Readonly<Record<number, string>> = {
  0: 'no file type,',
  [ET_REL]: 'relocatable,',
  [ET_EXEC]: 'executable,',
  [ET_DYN]: 'shared object,',
  [ET_CORE]: 'core file,',
};

/** What the flags of a machine say, with what separates it from what follows. */
function machineFlags({ machine, flags }: ElfHeader): string {
  switch (machine) {
    case 8:
      return `, ${MIPS_LEVELS[flags >>> 28] ?? ''}`.replace(/, $/, '');
    case 18:
    case 43: {
      const model = SPARC_MODELS[flags & 3];
      const required = machine === 18 && (flags & 0xffff00) === 0x100 ? ' V8+ Required,' : '';
      return `,${required}${model === undefined ? '' : ` ${model},`}`;
    }
    case 21:
      return (flags & 3) === 1 ? ', Power ELF V1 ABI,' : (flags & 3) === 2 ? ', OpenPOWER ELF V2 ABI,' : ',';
    case 40: {
      const version = flags >>> 24;
      if (version === 5) return ', EABI5';
      return version >= 1 && version <= 4 ? `, EABI${version}` : ',';
    }
    case 243:
      return `,${(flags & 1) !== 0 ? ' RVC,' : ''} ${(flags & 8) !== 0 ? 'RVE, ' : ''}${RISCV_FLOATS[(flags >> 1) & 3]},`;
    default:
      return ',';
  }
}

/** The first part of the answer: class, byte order, type, machine, version, system. */
export function elfSummary(header: ElfHeader, pie: boolean): string {
  const { wide, little, type, machine, version, osabi } = header;
  const kind = type === ET_DYN && pie ? 'pie executable,' : (TYPES[type] ?? (type >= 0xff00 ? 'processor-specific,' : 'unknown type,'));
  const name = ELF_MACHINES[machine] ?? `*unknown arch 0x${machine.toString(16)}*`;
  const which = version === 1 ? 'version 1' : version === 0 ? 'invalid version' : `version ${version}`;
  return `ELF ${wide ? '64' : '32'}-bit ${little ? 'LSB' : 'MSB'} ${kind} ${name}${machineFlags(header)} ${which}${SYSTEMS[osabi] ?? ''}`;
}

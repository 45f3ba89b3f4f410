/** The processor architecture, told by the header of an ELF program (System V ABI, chapter 4). */
import type { Bytes } from '../../bytes/struct.ts';
import type { Io } from '../../io/effect.ts';
import type { Probe } from './probe.ts';

/** Length of the part of the ELF header that is looked at. */
const HEADER = 20;
const EI_CLASS = 4;
const EI_DATA = 5;
const E_MACHINE = 18;

/** e_machine to the names that libguestfs uses; a pair is for 32 and 64 bits. */
const MACHINES: ReadonlyMap<number, string | readonly [string, string]> = new Map<number, string | readonly [string, string]>([
  [2, 'sparc'],
  [3, 'i386'],
  [4, 'm68k'],
  [8, 'mips'],
  [15, 'parisc'],
  [18, 'sparc'],
  [20, 'ppc'],
  [21, 'ppc64'],
  [22, ['s390', 's390x']],
  [40, 'arm'],
  [43, 'sparc64'],
  [50, 'ia64'],
  [62, 'x86_64'],
  [183, 'aarch64'],
  [243, ['riscv32', 'riscv64']],
  [258, ['loongarch32', 'loongarch64']],
]);

/** The architecture of a program by its first bytes; undefined for what is no ELF program of a known machine. */
export function elfArchitecture(header: Bytes): string | undefined {
  if (header.length < HEADER || header[0] !== 0x7f || header[1] !== 0x45 || header[2] !== 0x4c || header[3] !== 0x46) return undefined;
  const little = header[EI_DATA] === 1;
  const machine = new DataView(header.buffer, header.byteOffset, header.length).getUint16(E_MACHINE, little);
  const name = MACHINES.get(machine);
  if (name === undefined) return undefined;
  if (typeof name !== 'string') return header[EI_CLASS] === 2 ? name[1] : name[0];
  return name === 'ppc64' && little ? 'ppc64le' : name;
}

const PROGRAMS = ['/bin/bash', '/bin/ls', '/bin/echo', '/bin/rm', '/bin/sh'] as const;

/** The architecture of the first of some common programs that tells it. */
export function* readArchitecture(probe: Probe): Io<string> {
  for (const program of PROGRAMS) {
    const header = yield* probe.head(program, HEADER);
    const name = header === undefined ? undefined : elfArchitecture(header);
    if (name !== undefined) return name;
  }
  return 'unknown';
}

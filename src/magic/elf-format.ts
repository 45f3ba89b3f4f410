/** The structures of ELF (System V ABI, gABI 4.1), as far as they are looked at; both classes and byte orders. */
import { Head } from './source.ts';

/** Limits of file(1): sections, program headers. */
export const MAX_SECTIONS = 32_768;
export const MAX_SEGMENTS = 2048;

export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const ET_CORE = 4;

export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const SHT_SYMTAB = 2;
export const SHT_NOTE = 7;
export const DT_NEEDED = 1;
export const DT_FLAGS_1 = 0x6fff_fffb;
export const DF_1_PIE = 0x0800_0000;

export interface ElfHeader {
  readonly wide: boolean;
  readonly little: boolean;
  readonly osabi: number;
  readonly type: number;
  readonly machine: number;
  readonly version: number;
  readonly flags: number;
  readonly phoff: number;
  readonly phentsize: number;
  readonly phnum: number;
  readonly shoff: number;
  readonly shentsize: number;
  readonly shnum: number;
  readonly shstrndx: number;
}

/** A program header, or a section header under the same names. */
export interface ElfPart {
  readonly type: number;
  readonly name: number;
  readonly offset: number;
  readonly size: number;
}

/** The header at the beginning of a file; undefined when it is no ELF. */
export function elfHeader(head: Head): ElfHeader | undefined {
  if (!head.is(0, '\x7fELF')) return undefined;
  const wide = head.u8(4) === 2;
  const little = head.u8(5) !== 2;
  if (head.u8(4) < 1 || head.u8(4) > 2 || head.u8(5) < 1 || head.u8(5) > 2) return undefined;
  const short = (offset: number): number => head.u16(offset, little);
  const address = (offset: number): number => (wide ? head.u64(offset, little) : head.u32(offset, little));
  const at = wide ? 48 : 36;
  return {
    wide,
    little,
    osabi: head.u8(7),
    type: short(16),
    machine: short(18),
    version: head.u32(20, little),
    phoff: address(wide ? 32 : 28),
    shoff: address(wide ? 40 : 32),
    flags: head.u32(at, little),
    phentsize: short(at + 6),
    phnum: short(at + 8),
    shentsize: short(at + 10),
    shnum: short(at + 12),
    shstrndx: short(at + 14),
  };
}

/** The program headers of a table read whole. */
export function segments({ wide, little, phentsize }: ElfHeader, table: Uint8Array): ElfPart[] {
  const view = new Head(table, table.length);
  const parts: ElfPart[] = [];
  if (phentsize < (wide ? 56 : 32)) return parts;
  for (let at = 0; at + phentsize <= table.length; at += phentsize) {
    parts.push({
      type: view.u32(at, little),
      name: 0,
      offset: wide ? view.u64(at + 8, little) : view.u32(at + 4, little),
      size: wide ? view.u64(at + 32, little) : view.u32(at + 16, little),
    });
  }
  return parts;
}

/** The section headers of a table read whole. */
export function sections({ wide, little, shentsize }: ElfHeader, table: Uint8Array): ElfPart[] {
  const view = new Head(table, table.length);
  const parts: ElfPart[] = [];
  if (shentsize < (wide ? 64 : 40)) return parts;
  for (let at = 0; at + shentsize <= table.length; at += shentsize) {
    parts.push({
      type: view.u32(at + 4, little),
      name: view.u32(at, little),
      offset: wide ? view.u64(at + 24, little) : view.u32(at + 16, little),
      size: wide ? view.u64(at + 32, little) : view.u32(at + 20, little),
    });
  }
  return parts;
}

/** ELF files: how they are linked, their interpreter, build id and system, and whether they are stripped, in the words of file(1). */
import type { Bytes } from '../bytes/struct.ts';
import type { Io } from '../io/effect.ts';
import {
  DF_1_PIE,
  DT_FLAGS_1,
  DT_NEEDED,
  type ElfHeader,
  type ElfPart,
  ET_CORE,
  ET_DYN,
  ET_EXEC,
  elfHeader,
  MAX_SECTIONS,
  MAX_SEGMENTS,
  PT_DYNAMIC,
  PT_INTERP,
  PT_NOTE,
  SHT_NOTE,
  SHT_SYMTAB,
  sections,
  segments,
} from './elf-format.ts';
import { elfSummary } from './elf-names.ts';
import { Head, type MagicSource, printable } from './source.ts';

/** Notes, dynamic sections and tables of names beyond these lengths are not looked at. */
const MAX_NOTE = 65_536;
const MAX_DYNAMIC = 65_536;
const MAX_STRINGS: number = 1 << 20;
const MAX_NOTES = 256;

/** Describes an ELF file. `whole`: the source is the file itself, not what was decompressed. */
export function* describeElf(head: Head, source: MagicSource, whole: boolean): Io<string | undefined> {
  const header = elfHeader(head);
  if (header === undefined) return undefined;
  const parts: string[] = [];
  const dynamic: { pie?: boolean } = {};
  if (whole && (header.type === ET_EXEC || header.type === ET_DYN)) parts.push(...(yield* linking(header, source, dynamic)));
  const summary = elfSummary(header, dynamic.pie ?? false);
  if (!whole) return summary;
  if (header.shnum === 0 || header.shoff === 0) {
    if (header.type !== ET_CORE) parts.push('no section header');
  } else parts.push(...(yield* sectionWords(header, source)));
  return [summary, ...parts].join(', ');
}

/** "dynamically linked", "interpreter ...": what the program headers say. */
function* linking(header: ElfHeader, source: MagicSource, found: { pie?: boolean }): Io<string[]> {
  const count = Math.min(header.phnum, MAX_SEGMENTS);
  const table = yield* source.read(header.phoff, count * header.phentsize);
  let dynamicallyLinked = false;
  let needs = false;
  let interpreter: string | undefined;
  const notes: string[] = [];
  for (const part of segments(header, table)) {
    if (part.type === PT_INTERP) {
      const name = yield* source.read(part.offset, Math.min(part.size, 4096));
      interpreter = printable(new Head(name, name.length).text(0, name.length));
    } else if (part.type === PT_DYNAMIC) {
      dynamicallyLinked = true;
      const flags = dynamicFlags(header, yield* source.read(part.offset, Math.min(part.size, MAX_DYNAMIC)));
      needs = flags.needs;
      if (flags.pie !== undefined) found.pie = flags.pie;
    } else if (part.type === PT_NOTE && header.shnum === 0) yield* addNotes(header, source, part, notes, { notes: 0 });
  }
  const style = !dynamicallyLinked ? 'statically linked' : found.pie !== undefined && !needs ? 'static-pie linked' : 'dynamically linked';
  return [...notes, style, ...(interpreter === undefined ? [] : [`interpreter ${interpreter}`])];
}

/** DF_1_PIE of the dynamic section (undefined where it has no such flags), and whether it needs libraries. */
function dynamicFlags({ wide, little }: ElfHeader, bytes: Bytes): { readonly pie?: boolean; readonly needs: boolean } {
  const view = new Head(bytes, bytes.length);
  const step = wide ? 16 : 8;
  let pie: boolean | undefined;
  let needs = false;
  for (let at = 0; at + step <= bytes.length; at += step) {
    const tag = wide ? view.u64(at, little) : view.u32(at, little);
    if (tag === 0) break;
    if (tag === DT_NEEDED) needs = true;
    if (tag === DT_FLAGS_1) pie = (view.u32(at + (wide && !little ? 12 : step / 2), little) & DF_1_PIE) !== 0;
  }
  return pie === undefined ? { needs } : { pie, needs };
}

/** What the sections say: notes, debugging information, and whether there is a table of symbols. */
function* sectionWords(header: ElfHeader, source: MagicSource): Io<string[]> {
  const count = Math.min(header.shnum, MAX_SECTIONS);
  const all = sections(header, yield* source.read(header.shoff, count * header.shentsize));
  if (all.length === 0) return ['missing section headers'];
  const strings = all[header.shstrndx];
  const bytes = strings === undefined ? new Uint8Array(0) : yield* source.read(strings.offset, Math.min(strings.size, MAX_STRINGS));
  const names = new Head(bytes, bytes.length);
  const words: string[] = [];
  let stripped = true;
  let debug = false;
  const seen = { notes: 0 };
  for (const part of all) {
    if (names.text(part.name, 64) === '.debug_info') debug = true;
    if (part.type === SHT_SYMTAB) stripped = false;
    else if (part.type === SHT_NOTE) yield* addNotes(header, source, part, words, seen);
  }
  if (debug) words.push('with debug_info');
  words.push(stripped ? 'stripped' : 'not stripped');
  if (seen.notes > MAX_NOTES) words.push(`too many notes (${MAX_NOTES})`);
  return words;
}

const ID_KINDS: Readonly<Record<number, string>> = { 8: 'xxHash', 16: 'md5/uuid', 20: 'sha1' };
const SYSTEMS = ['Linux', 'Hurd', 'Solaris', 'kFreeBSD', 'kNetBSD'];

/** The notes of GNU (and of the BSDs and Go) in a segment or section, each word once. */
function* addNotes({ little }: ElfHeader, source: MagicSource, part: ElfPart, words: string[], seen: { notes: number }): Io<void> {
  const bytes = yield* source.read(part.offset, Math.min(part.size, MAX_NOTE));
  const view = new Head(bytes, bytes.length);
  const align = (length: number): number => Math.ceil(length / 4) * 4;
  for (let at = 0; at + 12 <= bytes.length; ) {
    if (++seen.notes > MAX_NOTES) return;
    const [nameSize, size, type] = [view.u32(at, little), view.u32(at + 4, little), view.u32(at + 8, little)];
    const name = view.text(at + 12, Math.min(nameSize, 64));
    const content = at + 12 + align(nameSize);
    if (nameSize > MAX_NOTE || size > MAX_NOTE || content + size > bytes.length) return;
    const word = noteWord(view, name, type, content, size, little);
    const kind = word?.slice(0, word.indexOf('['));
    if (word !== undefined && !words.some((one) => one === word || (kind === 'BuildID' && one.startsWith(kind)))) words.push(word);
    at = content + align(size);
  }
}

function noteWord(view: Head, name: string, type: number, at: number, size: number, little: boolean): string | undefined {
  if (name === 'GNU' && type === 3 && size >= 4 && size <= 20) {
    const hex = Array.from(view.bytes.subarray(at, at + size), (byte) => byte.toString(16).padStart(2, '0')).join('');
    return `BuildID[${ID_KINDS[size] ?? 'unknown'}]=${hex}`;
  }
  if (name === 'GNU' && type === 1 && size === 16) {
    const [system, ...version] = [0, 4, 8, 12].map((offset) => view.u32(at + offset, little));
    return `for GNU/${SYSTEMS[system ?? 0] ?? '<unknown>'} ${version.join('.')}`;
  }
  if (name === 'Go' && type === 4) return `Go BuildID=${printable(view.text(at, Math.min(size, 256)))}`;
  if (name === 'FreeBSD' && type === 1 && size === 4) return `for FreeBSD ${Math.floor(view.u32(at, little) / 100_000)}`;
  if (name === 'OpenBSD' && type === 1) return 'for OpenBSD';
  return undefined;
}

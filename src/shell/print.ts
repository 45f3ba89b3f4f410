/** Results as the shell prints them. */
import { type Bytes, decodeName, encodeName } from '../bytes/index.ts';
import { type FunctionFacts, type StructField, structFields } from '../commands/api/facts.ts';

/** Functions whose numbers are printed in another base; zero has no prefix. */
const BASES: ReadonlyMap<string, (value: number) => string> = new Map([
  ['umask', octal],
  ['get_umask', octal],
  ['part_get_mbr_id', (value: number) => `${value === 0 ? '' : '0x'}${value.toString(16)}`],
]);

/** What a terminal would take for commands; tabs and ends of lines are none. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

function octal(value: number): string {
  return `${value === 0 ? '' : '0'}${value.toString(8)}`;
}

/**
 * The bytes that a result of a function is printed as; none for what has no result. On a terminal control characters in names are escaped;
 * the contents of files are shown as they are.
 */
export function printResult(facts: FunctionFacts, result: unknown, terminal = false): Bytes {
  if (facts.result === 'RBufferOut') return result as Bytes;
  const printed = encodeName(text(facts, result));
  if (!terminal || facts.result === 'RString') return printed;
  return encodeName(decodeName(printed).replace(CONTROLS, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`));
}

function text(facts: FunctionFacts, result: unknown): string {
  switch (facts.result) {
    case 'RErr':
    case 'RBufferOut':
      return '';
    case 'RConstOptString':
      return `${result === undefined ? '(null)' : String(result)}\n`;
    case 'RStringList':
      return (result as readonly string[]).map((line) => `${line}\n`).join('');
    case 'RHashtable':
      return (result as readonly (readonly [string, string])[]).map(([key, value]) => `${key}: ${value}\n`).join('');
    case 'RStruct':
      return printStruct(facts.of ?? '', result as Structure, '');
    case 'RStructList':
      return (result as readonly Structure[]).map((one, i) => `[${i}] = {\n${printStruct(facts.of ?? '', one, '  ')}}\n`).join('');
    case 'RInt':
    case 'RInt64':
      return `${BASES.get(facts.name)?.(Number(result)) ?? String(result)}\n`;
    default:
      return `${String(result)}\n`;
  }
}

type Structure = Readonly<Record<string, unknown>>;

function printStruct(name: string, value: Structure, indent: string): string {
  return structFields(name)
    .map((field) => `${indent}${field.name}: ${printField(field, value[field.name])}\n`)
    .join('');
}

function printField(field: StructField, value: unknown): string {
  switch (field.type) {
    case 'Buffer':
      return printBuffer(value as Bytes);
    case 'OptPercent':
      return value === undefined ? '' : `${value} %`;
    default:
      return String(value);
  }
}

/** Printable ASCII as it is. The real shell widens bytes from 0x80 on with their sign, and scripts read that. */
function printBuffer(bytes: Bytes): string {
  let shown = '';
  for (const byte of bytes) {
    if (byte >= 0x20 && byte < 0x7f) shown += String.fromCharCode(byte);
    else shown += `\\x${(byte >= 0x80 ? 0xffffff00 + byte : byte).toString(16).padStart(2, '0')}`;
  }
  return shown;
}

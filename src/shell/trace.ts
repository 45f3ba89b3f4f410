/** Calls and results as the trace of libguestfs shows them. */
import type { FunctionFacts } from '../commands/api/facts.ts';

/** What is traced of a call that fails. */
export function traceFailure(facts: FunctionFacts): string {
  const pointer = facts.result !== 'RErr' && facts.result !== 'RBool' && facts.result !== 'RInt' && facts.result !== 'RInt64';
  return `${facts.name} = ${pointer ? 'NULL' : '-1'} (error)`;
}

/** More of a string than this is not shown. */
const SHOWN = 256;

export function traceCall(facts: FunctionFacts, args: Readonly<Record<string, unknown>>): string {
  const words = [facts.name];
  for (const { name } of facts.arguments) words.push(traceValue(args[name]));
  for (const { name } of facts.optional) if (args[name] !== undefined) words.push(`"${name}:${String(args[name])}"`);
  return words.join(' ');
}

export function traceResult(facts: FunctionFacts, result: unknown): string {
  return `${facts.name} = ${facts.result === 'RErr' ? '0' : traceOutcome(facts, result)}`;
}

function traceOutcome(facts: FunctionFacts, result: unknown): string {
  if (facts.result === 'RBool') return result === true ? '1' : '0';
  if (facts.result === 'RStructList') return `<struct guestfs_${facts.of}_list(${(result as readonly unknown[]).length})>`;
  if (facts.result === 'RStruct') {
    const fields = Object.entries(result as Readonly<Record<string, unknown>>).map(([name, value]) => `${name}: ${String(value)}, `);
    return `<struct guestfs_${facts.of} = ${fields.join('')}>`;
  }
  if (result === undefined) return '"NULL"';
  if (Array.isArray(result)) return `[${result.flat().map(traceValue).join(', ')}]`;
  return traceValue(result);
}

function traceValue(value: unknown): string {
  if (value === undefined) return 'null';
  if (typeof value === 'function') return '"-"';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (value instanceof Uint8Array) return quoted(String.fromCharCode(...value.subarray(0, SHOWN)), value.length > SHOWN);
  if (Array.isArray(value)) return `"${value.join(' ')}"`;
  return typeof value === 'string' ? quoted(value.slice(0, SHOWN), value.length > SHOWN) : String(value);
}

function quoted(text: string, cut: boolean): string {
  const shown = text.replace(/[\u0000-\u001f\u007f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `"${shown}"${cut ? '<truncated>' : ''}`;
}

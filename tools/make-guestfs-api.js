// Writes src/commands/api/{functions,calls}.ts from tools/guestfs-api.json: the facts as short lines for programs, and as types for the compiler.
//   node tools/make-guestfs-api.js           writes the files
//   node tools/make-guestfs-api.js --check   ends with 1 when they are not up to date
import * as fs from 'node:fs';

const api = JSON.parse(fs.readFileSync(new URL('guestfs-api.json', import.meta.url), 'utf8'));
const HEAD = '// Made by tools/make-guestfs-api.js from tools/guestfs-api.json; not to be edited.\n';

const result = ({ type, of, struct }) => ((struct ?? of) === undefined ? type : `${type}:${struct ?? of}`);
const flags = (f) =>
  [
    f.group && `group=${f.group}`,
    f.progress && 'progress',
    f.aliases && `aliases=${f.aliases.join(',')}`,
    f.deprecatedBy && (f.deprecatedBy === true || f.deprecatedBy.includes(' ') ? 'deprecated' : `deprecated=${f.deprecatedBy}`),
    f.visibility && `visibility=${f.visibility}`,
  ].filter(Boolean);
const line = (f) =>
  [
    f.name,
    f.number ?? '-',
    result(f.result),
    ...f.arguments.map((a) => `${a.name}:${a.type}`),
    ...(f.optional ?? []).map((a) => `?${a.name}:${a.type}`),
    ...flags(f).map((flag) => `@${flag}`),
  ].join(' ');

const functions = `${HEAD}/**
 * The functions of libguestfs, one a line: name, procedure number (\`-\`: the client library does it), result, arguments, optional
 * arguments after \`?\` in the order of their bits, notes after \`@\`.
 */
export const FUNCTIONS: string = \`
${api.functions.map(line).join('\n')}
\`;

/** The structures, one a line: name, and the fields in their order. */
export const STRUCTS: string = \`
${api.structs.map((s) => [s.name, ...s.fields.map((f) => `${f.name}:${f.type}`)].join(' ')).join('\n')}
\`;

/** The groups of functions that can be missing. */
export const GROUPS: readonly string[] = ${JSON.stringify(api.groups).replaceAll('"', "'").replaceAll(',', ', ')};

/** Groups that were given up and always count as available. */
export const RETIRED_GROUPS: readonly string[] = ${JSON.stringify(api.retiredGroups).replaceAll('"', "'").replaceAll(',', ', ')};
`;

const ARGUMENT = (name, type) => {
  if (type === 'Bool') return 'boolean';
  if (type === 'Int') return 'number';
  // 64 bits without a sign, as a pattern.
  if (type === 'Int64') return name === 'attributes' ? 'bigint' : 'number';
  if (type === 'OptString') return 'string | undefined';
  if (type.startsWith('StringList')) return 'readonly string[]';
  if (type === 'BufferIn') return 'Bytes';
  if (type === 'FileIn') return 'Pull';
  if (type === 'FileOut') return 'Push';
  return 'string';
};
const camel = (name) => name.replace(/(?:^|_)([a-z0-9])/g, (_, c) => c.toUpperCase());
const RESULT = ({ type, struct }) => {
  const of = struct && `${camel(struct)}Struct`;
  const known = {
    RErr: 'void',
    RBool: 'boolean',
    RInt: 'number',
    RInt64: 'number | bigint',
    RString: 'string',
    RStringList: 'readonly string[]',
    RConstString: 'string',
    RConstOptString: 'string | undefined',
    RBufferOut: 'Bytes',
    RHashtable: 'readonly (readonly [string, string])[]',
    RStruct: of,
    RStructList: `readonly ${of}[]`,
  }[type];
  if (known === undefined) throw new Error(`no type for ${type}`);
  return known;
};
const FIELD = {
  UInt64: 'number | bigint',
  String: 'string',
  Buffer: 'Bytes',
  UUID: 'string',
  Char: 'string',
  OptPercent: 'number | undefined',
};
const call = (f) => {
  const given = f.arguments.filter((a) => a.type !== 'Pointer').map((a) => `${a.name}: ${ARGUMENT(a.name, a.type)}`);
  const optional = (f.optional ?? []).map((a) => `${a.name}?: ${ARGUMENT(a.name, a.type)} | undefined`);
  const all = [...given, ...optional];
  return `  ${f.name}: Call<${all.length === 0 ? 'NoArguments' : `{ ${all.join('; ')} }`}, ${RESULT(f.result)}>;`;
};
const calls = `${HEAD}/** The functions of libguestfs as types. */
import type { Bytes } from '../../bytes/struct.ts';
import type { Call, NoArguments, Pull, Push } from './values.ts';

${api.structs
  .map(
    (s) =>
      `export interface ${camel(s.name)}Struct {\n${s.fields.map((f) => `  readonly ${f.name}: ${f.name === 'fsid' ? 'number | bigint' : (FIELD[f.type] ?? 'number')};`).join('\n')}\n}`,
  )
  .join('\n\n')}

export interface Calls {
${api.functions.map(call).join('\n')}
}
`;

const check = process.argv.includes('--check');
for (const [name, text] of [
  ['functions.ts', functions],
  ['calls.ts', calls],
]) {
  const file = new URL(`../src/commands/api/${name}`, import.meta.url);
  if (!check) fs.writeFileSync(file, text);
  else if (fs.readFileSync(file, 'utf8') !== text) {
    console.error(`src/commands/api/${name} is not up to date: node tools/make-guestfs-api.js`);
    process.exitCode = 1;
  }
}

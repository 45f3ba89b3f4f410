/** Runs the commands of a case through our Augeas, in the form in which fixtures/augeas/oracle.py runs them through the real one. */

import { Augeas } from '../../src/augeas/index.ts';
import { latin1 } from '../../src/bytes/index.ts';
import { Posix } from '../../src/errors.ts';
import { EditableTree } from '../../src/guest/index.ts';
import { type Io, runSync } from '../../src/io/index.ts';
import { MemoryFileSystem } from '../../src/testing/index.ts';

export type Command = readonly (string | boolean | null)[];

export interface Case {
  /** The one lens of the real Augeas; null for all. */
  readonly lens: string | null;
  readonly path?: string;
  readonly text?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly flags?: number;
  readonly commands: readonly Command[];
}

export interface CaseOutcome {
  readonly results: readonly unknown[];
  readonly files: Readonly<Record<string, string>>;
}

function fromLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** Texts of the cases have one character per byte; those of the API are names. */
function toName(text: string): string {
  let name = '';
  for (const c of text) name += c.charCodeAt(0) < 0x80 ? c : String.fromCharCode(0xdc00 + c.charCodeAt(0));
  return name;
}

function fromName(text: string): string {
  let bytes = '';
  for (const byte of Buffer.from(text.replace(/[\udc80-\udcff]/g, '?'), 'utf8')) bytes += String.fromCharCode(byte);
  return /[\udc80-\udcff]/.test(text) ? text.replace(/[\udc80-\udcff]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xdc00)) : bytes;
}

function mapText(value: unknown, convert: (text: string) => string): unknown {
  if (typeof value === 'string') return convert(value);
  return Array.isArray(value) ? value.map((item) => mapText(item, convert)) : value;
}

function* perform(session: Augeas, [name, ...parameters]: Command): Io<unknown> {
  const [a, b, c] = parameters.map((parameter) => (typeof parameter === 'string' ? toName(parameter) : parameter)) as string[];
  const optional = (text: string | null | undefined): string | undefined => text ?? undefined;
  const absent = { absent: true };
  switch (name) {
    case 'get': {
      const value = yield* session.get(a!);
      return value === undefined ? absent : value;
    }
    case 'label':
      return (yield* session.label(a!)) ?? absent;
    case 'set':
      yield* session.set(a!, optional(b));
      return 'done';
    case 'setm':
      return yield* session.setMany(a!, optional(b), optional(c));
    case 'insert':
      yield* session.insert(a!, b!, Boolean(parameters[2]));
      return 'done';
    case 'rm':
      return yield* session.remove(a!);
    case 'mv':
      yield* session.move(a!, b!);
      return 'done';
    case 'match':
      return yield* session.match(a!);
    case 'defvar':
      return yield* session.defineVariable(a!, optional(b));
    case 'defnode': {
      const { count, created } = yield* session.defineNode(a!, b!, optional(c));
      return [count, created ? 1 : 0];
    }
    case 'transform':
      session.transform(a!, b!, Boolean(parameters[2]));
      return 'done';
    case 'load':
      yield* session.load();
      return 'done';
    case 'save':
      yield* session.save();
      return 'done';
    case 'dump': {
      const pairs: [string, string | null | undefined][] = [];
      for (const path of yield* session.match(`${a ?? '/files'}//*`)) pairs.push([path, yield* session.get(path)]);
      return pairs;
    }
    default:
      throw new Error(`no command ${name}`);
  }
}

function* run(tree: EditableTree, case_: Case): Io<CaseOutcome> {
  const files: Record<string, string> = { ...case_.files, ...(case_.path === undefined ? {} : { [case_.path]: case_.text ?? '' }) };
  for (const [path, text] of Object.entries(files)) {
    yield* tree.mkdirp(path.replace(/\/[^/]*$/, '') || '/');
    yield* tree.writeFile(path, fromLatin1(text));
  }
  const session = yield* Augeas.open(() => tree, '/', case_.flags ?? 0);
  const results: unknown[] = [];
  for (const command of case_.commands) {
    try {
      results.push(mapText(yield* perform(session, command), fromName));
    } catch (error) {
      if (!(error instanceof Posix)) throw error;
      results.push({ error: error.message });
    }
  }
  return { results, files: yield* allFiles(tree, '') };
}

function* allFiles(tree: EditableTree, path: string): Io<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of yield* tree.names(`${path}/`)) {
    const inner = `${path}/${name}`;
    if ((yield* tree.lstat(inner)).kind === 'directory') Object.assign(found, yield* allFiles(tree, inner));
    else found[inner] = latin1(yield* tree.readFile(inner));
  }
  return found;
}

export function runCase(case_: Case): CaseOutcome {
  return runSync(run(EditableTree.of(new MemoryFileSystem()), case_));
}

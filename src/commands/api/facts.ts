/** The facts of the libguestfs API in a form to work with. */
import { FUNCTIONS, STRUCTS } from './functions.ts';

/** The type of an argument under libguestfs's own name, such as `Pathname`; lists of something else than plain strings as `StringList<Device>`. */
export type ArgumentType =
  | 'PlainString'
  | 'Pathname'
  | 'Device'
  | 'Mountable'
  | 'Dev_or_Path'
  | 'Mountable_or_Path'
  | 'Key'
  | 'GUID'
  | 'Filename'
  | 'FileIn'
  | 'FileOut'
  | 'StringList'
  | 'StringList<Device>'
  | 'StringList<Filename>'
  | 'StringList<Pathname>'
  | 'Bool'
  | 'Int'
  | 'Int64'
  | 'OptString'
  | 'BufferIn'
  | 'Pointer';

export type ResultType =
  | 'RErr'
  | 'RBool'
  | 'RInt'
  | 'RInt64'
  | 'RString'
  | 'RStringList'
  | 'RConstString'
  | 'RConstOptString'
  | 'RBufferOut'
  | 'RHashtable'
  | 'RStruct'
  | 'RStructList';

export interface ArgumentFacts {
  readonly name: string;
  readonly type: ArgumentType;
}

export interface FunctionFacts {
  readonly name: string;
  /** The number of the daemon's procedure; undefined for what the client library does itself. */
  readonly number: number | undefined;
  readonly arguments: readonly ArgumentFacts[];
  /** In the order of their bits. */
  readonly optional: readonly ArgumentFacts[];
  readonly result: ResultType;
  /** The structure of RStruct and RStructList; what the strings of RString and RStringList are, such as `Device`, if more than text. */
  readonly of: string | undefined;
  /** The group of functions that can be missing. */
  readonly group: string | undefined;
  readonly progress: boolean;
  readonly aliases: readonly string[];
  /** The function to use instead; empty when it is only said to be outdated. */
  readonly deprecated: string | undefined;
  readonly visibility: 'public' | 'public-nofish' | 'internal' | 'debug' | 'statetest';
}

export interface StructField {
  readonly name: string;
  readonly type: 'String' | 'Buffer' | 'UUID' | 'Char' | 'OptPercent' | 'Int32' | 'UInt32' | 'Int64' | 'UInt64' | 'Bytes';
}

/** The line of each function by its name; a line is parsed when it is first wanted. */
const lines = new Map<string, string>();
const parsed = new Map<string, FunctionFacts>();
let byNumber: Map<number, string> | undefined;

function allLines(): ReadonlyMap<string, string> {
  if (lines.size === 0) for (const line of FUNCTIONS.split('\n')) if (line !== '') lines.set(line.slice(0, line.indexOf(' ')), line);
  return lines;
}

/** The names of all functions. */
export function functionNames(): Iterable<string> {
  return allLines().keys();
}

/** What is known of a function; undefined where libguestfs has none of this name. */
export function functionFacts(name: string): FunctionFacts | undefined {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const line = allLines().get(name);
  if (line === undefined) return undefined;
  const facts = parseLine(line);
  parsed.set(name, facts);
  return facts;
}

/** The function behind a procedure number of the daemon. */
export function functionByNumber(number: number): FunctionFacts | undefined {
  if (byNumber === undefined) {
    byNumber = new Map();
    for (const [name, line] of allLines()) {
      const second = line.slice(name.length + 1, line.indexOf(' ', name.length + 1));
      if (second !== '-') byNumber.set(Number(second), name);
    }
  }
  const name = byNumber.get(number);
  return name === undefined ? undefined : functionFacts(name);
}

function parseLine(line: string): FunctionFacts {
  const [name = '', number = '-', result = '', ...words] = line.split(' ');
  const given: ArgumentFacts[] = [];
  const optional: ArgumentFacts[] = [];
  const notes = new Map<string, string>();
  for (const word of words) {
    if (word.startsWith('@')) {
      const [key = '', value = ''] = word.slice(1).split('=');
      notes.set(key, value);
    } else if (word.startsWith('?')) optional.push(parseArgument(word.slice(1)));
    else given.push(parseArgument(word));
  }
  const [type = '', of] = result.split(':');
  return {
    name,
    number: number === '-' ? undefined : Number(number),
    arguments: given,
    optional,
    result: type as ResultType,
    of,
    group: notes.get('group'),
    progress: notes.has('progress'),
    aliases: notes.get('aliases')?.split(',') ?? [],
    deprecated: notes.get('deprecated'),
    visibility: (notes.get('visibility') ?? 'public') as FunctionFacts['visibility'],
  };
}

function parseArgument(word: string): ArgumentFacts {
  const colon = word.indexOf(':');
  return { name: word.slice(0, colon), type: word.slice(colon + 1) as ArgumentType };
}

let structs: Map<string, readonly StructField[]> | undefined;

/** The fields of a structure; throws RangeError for a name that the API lacks. */
export function structFields(name: string): readonly StructField[] {
  if (structs === undefined) {
    structs = new Map();
    for (const line of STRUCTS.split('\n')) {
      const [struct = '', ...fields] = line.split(' ');
      if (struct !== '')
        structs.set(
          struct,
          fields.map((field) => parseArgument(field) as unknown as StructField),
        );
    }
  }
  const fields = structs.get(name);
  if (fields === undefined) throw new RangeError(`the API has no structure ${name}`);
  return fields;
}

/** Arguments and results of functions on the wire. */
import type { Bytes } from '../bytes/struct.ts';
import { decodeName, encodeName } from '../bytes/text.ts';
import { type ArgumentFacts, type FunctionFacts, type StructField, structFields } from '../commands/api/facts.ts';
import { Posix } from '../errors.ts';
import { ProtocolError, type XdrReader, type XdrWriter } from './xdr.ts';

/** The value of each argument by name; files of the client are not among them. */
export type Arguments = Record<string, unknown>;

/**
 * Reads the arguments of a call. Optional arguments are on the wire whether they are given or not; a client of another version may have fewer.
 * Throws ProtocolError, and EINVAL for a bit that stands for no argument.
 */
export function readArguments(facts: FunctionFacts, bits: bigint, reader: XdrReader): Arguments {
  if (facts.optional.length === 0 && bits !== 0n) {
    throw new ProtocolError("header optargs_bitmask field must be passed as 0 for calls that don't take optional arguments");
  }
  if (bits >> BigInt(facts.optional.length) !== 0n) {
    throw new ProtocolError(`unknown option in optional arguments bitmask (0x${bits.toString(16)}) of ${facts.name}`);
  }
  const values: Arguments = {};
  for (const argument of facts.arguments) if (!isFile(argument)) values[argument.name] = readValue(argument, reader);
  for (const [i, argument] of facts.optional.entries()) {
    const given = ((bits >> BigInt(i)) & 1n) === 1n;
    if (reader.left === 0 && !given) continue;
    const value = readValue(argument, reader, given);
    if (given) values[argument.name] = value;
  }
  return values;
}

function isFile({ type }: ArgumentFacts): boolean {
  return type === 'FileIn' || type === 'FileOut';
}

function readValue({ name, type }: ArgumentFacts, reader: XdrReader, meant = true): unknown {
  switch (type) {
    case 'Bool':
      return reader.bool();
    case 'Int':
      return reader.int();
    case 'Int64': {
      const value = reader.hyper();
      if (name === 'attributes') return value;
      if (meant && (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER))) {
        throw new Posix('EOVERFLOW', {}, `${name}: ${value} is beyond what can be handled`);
      }
      return Number(value);
    }
    case 'OptString':
      return reader.uint() === 0 ? undefined : text(reader.opaque());
    case 'BufferIn':
      return reader.opaque();
    case 'StringList':
    case 'StringList<Device>':
    case 'StringList<Filename>':
    case 'StringList<Pathname>':
      return reader.array(() => text(reader.opaque()));
    default:
      return text(reader.opaque());
  }
}

/** A string cannot hold a zero byte: the client's language ends strings there. */
function text(bytes: Bytes): string {
  if (bytes.includes(0)) throw new ProtocolError('a string with a zero byte in it');
  return decodeName(bytes);
}

/** Writes what a function returned. */
export function writeResult(facts: FunctionFacts, value: unknown, writer: XdrWriter): void {
  const string = (one: string): void => writer.opaque(encodeName(one));
  const write: Readonly<Record<string, () => void>> = {
    RErr: () => {},
    RBool: () => writer.bool(value as boolean),
    RInt: () => writer.int(value as number),
    RInt64: () => writer.hyper(value as number | bigint),
    RString: () => string(value as string),
    RStringList: () => writer.array(value as readonly string[], string),
    RHashtable: () => writer.array((value as readonly (readonly [string, string])[]).flat(), string),
    RBufferOut: () => writer.opaque(value as Bytes),
    RStruct: () => writeStruct(structFields(facts.of ?? ''), value as Struct, writer),
    RStructList() {
      const fields = structFields(facts.of ?? '');
      writer.array(value as readonly Struct[], (one) => writeStruct(fields, one, writer));
    },
  };
  const known = write[facts.result];
  if (known === undefined) throw new ProtocolError(`${facts.name} is no function of the daemon`);
  known();
}

type Struct = Readonly<Record<string, unknown>>;

function writeStruct(fields: readonly StructField[], value: Struct, writer: XdrWriter): void {
  for (const { name, type } of fields) {
    const field = value[name];
    switch (type) {
      case 'String':
        writer.opaque(encodeName(field as string));
        break;
      case 'Buffer':
        writer.opaque(field as Bytes);
        break;
      case 'UUID': {
        const uuid = new Uint8Array(32);
        uuid.set(encodeName(field as string).subarray(0, 32));
        writer.fixed(uuid);
        break;
      }
      case 'Char':
        writer.int((field as string).charCodeAt(0));
        break;
      case 'OptPercent':
        writer.float(field === undefined ? -1 : (field as number));
        break;
      case 'Int32':
        writer.int(field as number);
        break;
      case 'UInt32':
        writer.uint(field as number);
        break;
      case 'Int64':
        writer.hyper(field as number | bigint);
        break;
      case 'UInt64':
      case 'Bytes':
        writer.uhyper(field as number | bigint);
        break;
    }
  }
}

/** The options of a new qcow2 image as `-o NAME=VALUE,...` gives them. */
import { Unsupported } from '../../errors.ts';
import type { CreateOptions } from '../../qcow2/create.ts';
import type { Invocation, UsageError } from '../invocation.ts';
import { parseSize } from './numbers.ts';

export interface CreationOptions extends Omit<CreateOptions, 'size' | 'backing' | 'dataFile'> {
  readonly size?: number;
  readonly backingFile?: string;
  readonly backingFormat?: string;
  readonly dataFile?: string;
  readonly dataFileRaw?: boolean;
}

/** `a=1,b=2` taken apart; a doubled comma stands for one, as in qemu-img. */
function parsePairs(options: readonly string[]): [string, string][] {
  return options.flatMap((text) =>
    text
      .replaceAll(',,', '\0')
      .split(',')
      .filter((pair) => pair !== '')
      .map((pair): [string, string] => {
        const plain = pair.replaceAll('\0', ',');
        const equals = plain.indexOf('=');
        return equals < 0 ? [plain, 'on'] : [plain.slice(0, equals), plain.slice(equals + 1)];
      }),
  );
}

/** Reads `-o`; throws UsageError for what qemu-img would not take, Unsupported for encryption. */
export function parseCreationOptions(invocation: Invocation): CreationOptions {
  const fail = (message: string): UsageError => invocation.wrongUse(message);
  let parsed: CreationOptions = {};
  for (const [name, value] of parsePairs(invocation.values('--options'))) {
    const one = <T>(choices: Readonly<Record<string, T>>): T => {
      const chosen = Object.hasOwn(choices, value) ? choices[value] : undefined;
      if (chosen === undefined) throw fail(`${name} is one of ${Object.keys(choices).join(', ')}, not '${value}'`);
      return chosen;
    };
    const onOff = (): boolean => one({ on: true, off: false, yes: true, no: false, true: true, false: false });
    switch (name) {
      case 'size':
        parsed = { ...parsed, size: parseSize(value, name, invocation) };
        break;
      case 'compat':
        parsed = { ...parsed, version: one<2 | 3>({ '0.10': 2, '1.1': 3, v2: 2, v3: 3 }) };
        break;
      case 'cluster_size':
        parsed = { ...parsed, clusterSize: parseSize(value, name, invocation) };
        break;
      case 'refcount_bits':
        parsed = { ...parsed, refcountBits: Number(value) };
        break;
      case 'compression_type':
        parsed = { ...parsed, compression: one<'zlib' | 'zstd'>({ zlib: 'zlib', zstd: 'zstd' }) };
        break;
      case 'extended_l2':
        parsed = { ...parsed, extendedL2: onOff() };
        break;
      case 'lazy_refcounts':
        parsed = { ...parsed, lazyRefcounts: onOff() };
        break;
      case 'preallocation':
        parsed = {
          ...parsed,
          preallocation: one<NonNullable<CreateOptions['preallocation']>>({
            off: 'off',
            metadata: 'metadata',
            falloc: 'falloc',
            full: 'full',
          }),
        };
        break;
      case 'backing_file':
        parsed = { ...parsed, backingFile: value };
        break;
      case 'backing_fmt':
        parsed = { ...parsed, backingFormat: value };
        break;
      case 'data_file':
        parsed = { ...parsed, dataFile: value };
        break;
      case 'data_file_raw':
        parsed = { ...parsed, dataFileRaw: onOff() };
        break;
      default:
        if (name === 'encryption' || name.startsWith('encrypt.')) throw new Unsupported('creating encrypted images');
        if (name !== 'nocow') throw fail(`qcow2 has no option '${name}'`);
    }
  }
  if (parsed.dataFileRaw === true && parsed.dataFile === undefined) throw fail('data_file_raw needs data_file');
  return parsed;
}

/** The options of a new qcow2 file, as `-o` takes them. */
import { Unsupported } from '../../errors.ts';
import { DEFAULT_LAYOUT, type StreamLayout } from '../../qcow2/stream-write.ts';
import type { Invocation, UsageError } from '../invocation.ts';
import { parseSize } from './numbers.ts';

/** Options of qemu-img that are known, but not made here. */
const NOT_MADE: ReadonlyMap<string, readonly string[]> = new Map([
  ['backing_file', []],
  ['backing_fmt', []],
  ['data_file', []],
  ['data_file_raw', ['off']],
  ['encryption', ['off']],
  ['encrypt.format', []],
  ['encrypt.key-secret', []],
  ['extended_l2', ['off']],
  ['preallocation', ['off']],
  ['size', []],
]);

/** Reads `-o NAME=VALUE,...`; throws UsageError for what qemu-img would not take, Unsupported for what we do not make. */
export function parseLayout(invocation: Invocation): StreamLayout {
  const fail = (message: string): UsageError => invocation.wrongUse(message);
  let { version, clusterBits, refcountOrder, compression, lazyRefcounts } = DEFAULT_LAYOUT;
  for (const option of invocation
    .values('--options')
    .flatMap((one) => one.split(','))
    .filter((one) => one !== '')) {
    const equals = option.indexOf('=');
    const name = equals < 0 ? option : option.slice(0, equals);
    const value = equals < 0 ? 'on' : option.slice(equals + 1);
    const wrong = (wanted: string): UsageError => fail(`${name} is ${wanted}, not '${value}'`);
    switch (name) {
      case 'compat':
        if (!['0.10', 'v2', '1.1', 'v3'].includes(value)) throw wrong('0.10 or 1.1');
        version = value === '0.10' || value === 'v2' ? 2 : 3;
        break;
      case 'cluster_size':
        clusterBits = Math.log2(parseSize(value, name, invocation));
        if (!Number.isInteger(clusterBits) || clusterBits < 9 || clusterBits > 21) throw wrong('a power of two between 512 and 2M');
        break;
      case 'refcount_bits':
        refcountOrder = Math.log2(Number(value));
        if (!Number.isInteger(refcountOrder) || refcountOrder < 0 || refcountOrder > 6) throw wrong('1, 2, 4, 8, 16, 32 or 64');
        break;
      case 'lazy_refcounts':
        if (!['on', 'off'].includes(value)) throw wrong('on or off');
        lazyRefcounts = value === 'on';
        break;
      case 'compression_type':
        if (value !== 'zlib' && value !== 'zstd') throw wrong('zlib or zstd');
        compression = value;
        break;
      default: {
        const harmless = NOT_MADE.get(name);
        if (harmless === undefined) throw fail(`qcow2 has no option '${name}'`);
        if (!harmless.includes(value))
          throw new Unsupported(`-o ${name}`, `making a qcow2 file with ${name}=${value} is not supported yet`);
      }
    }
  }
  if (version === 2 && (refcountOrder !== 4 || lazyRefcounts || compression !== 'zlib')) {
    throw fail('refcount_bits, lazy_refcounts and compression_type need compat=1.1');
  }
  return { version, clusterBits, refcountOrder, compression, lazyRefcounts };
}

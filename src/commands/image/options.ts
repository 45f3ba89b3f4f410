/** What the commands under `img` have in common: options and how each of them is declared. */
import type { Command, Option } from '../declaration.ts';

/** A command under `img`. */
export function imageCommand(own: Omit<Command, 'groups'>): Command {
  return { groups: ['json'], ...own };
}

/** An option that qemu-img has and that changes nothing here. */
function ignored(names: readonly string[], value?: 'MODE' | 'NUMBER'): Option {
  return {
    names,
    ...(value === undefined ? {} : { value: { name: value, kind: value === 'NUMBER' ? 'number' : 'text' } as const }),
    help: 'accepted for compatibility',
  };
}

export const FORMAT: Option = {
  names: ['-f', '--format'],
  value: { name: 'FORMAT', kind: 'text' },
  help: 'the format of the image (else probed by its magic)',
};
export const OUTPUT_FORMAT: Option = {
  names: ['-O', '--output-format'],
  value: { name: 'FORMAT', kind: 'text' },
  help: 'raw (the default) or qcow2',
};
export const OUTPUT: Option = {
  names: ['--output'],
  value: { name: 'human|json', kind: 'text', choices: ['human', 'json'] },
  help: 'text for people, or JSON',
};
/** Of the layout of a new qcow2 file; each command says which of them it takes. */
export const OPTIONS: Option = {
  names: ['-o', '--options'],
  value: { name: 'NAME=VALUE,...', kind: 'text' },
  repeated: true,
  help: 'for qcow2: compat, cluster_size, refcount_bits, lazy_refcounts, extended_l2, compression_type, preallocation, data_file, data_file_raw',
};
export const SNAPSHOT: Option = {
  names: ['-l', '--snapshot'],
  value: { name: 'SNAPSHOT', kind: 'text' },
  help: 'the disk as it was in this internal snapshot',
};
export const BACKING: Option = {
  names: ['-b', '--backing'],
  value: { name: 'FILE', kind: 'host-file' },
  help: 'the backing file, as the image is to name it',
};
export const BACKING_FORMAT: Option = {
  names: ['-F', '--backing-format'],
  value: { name: 'FORMAT', kind: 'text' },
  help: 'the format of the backing file',
};
export const QUIET: Option = { names: ['-q', '--quiet'], help: 'print nothing but errors' };
/** For commands that print nothing but errors in any case. */
export const ALWAYS_QUIET: Option = { ...QUIET, help: 'accepted for compatibility: nothing is printed but errors' };
export const SHARE: Option = ignored(['-U', '--force-share']);
/** For commands that only read. */
export const SHARE_READING: Option = { ...SHARE, help: 'accepted for compatibility: images are never locked for reading' };
export const PROGRESS: Option = ignored(['-p', '--progress']);
/** For commands that show it. */
export const PROGRESS_SHOWN: Option = {
  ...PROGRESS,
  help: 'accepted for compatibility: progress is shown where standard error is a terminal',
};
/** How the host caches the image that is read, of that which is written, and of the target of a copy. */
export const SOURCE_CACHE: Option = ignored(['-T', '--cache'], 'MODE');
export const CACHE: Option = ignored(['-t', '--cache'], 'MODE');
export const TARGET_CACHE: Option = ignored(['-t', '--target-cache'], 'MODE');
export const COROUTINES: Option = ignored(['-m', '--coroutines'], 'NUMBER');
export const OUT_OF_ORDER: Option = ignored(['-W', '--out-of-order']);

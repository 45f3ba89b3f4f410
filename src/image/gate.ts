/**
 * The gate: who decides whether a file that an image names may be opened.
 *
 * A name inside an image is hostile input. Nothing is opened by default; {@link folderGate} admits plain files in the folder of the
 * image and below, which is what chains made beside each other need.
 */
import { Refused } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import type { ByteSource } from '../io/source.ts';
import { type ResolvedName, resolveBackingName, resolveDataName } from './names.ts';

/** A file that an image refers to. */
export interface Reference {
  readonly kind: 'backing' | 'data';
  /** The name as it stands in the image. */
  readonly name: string;
  /** The format that the image declares for it. */
  readonly format?: string;
  /** The file that names it. */
  readonly from: ByteSource;
  /** How many files lie above it: 1 for the backing file of the image that was opened. */
  readonly depth: number;
}

/** Opens a file that an image refers to, or throws Refused. */
export type Gate = (reference: Reference) => Io<ByteSource>;

/** Refuses everything: the default. */
// biome-ignore lint/correctness/useYield: it only ever throws
export const denyGate: Gate = function* (reference) {
  const what = reference.kind === 'backing' ? 'backing file' : 'data file';
  throw new Refused(`the image needs its ${what} "${reference.name}", which is not opened unless a gate allows it`, {
    image: reference.from.name,
  });
};

/** What the file system of the host says about paths; a door provides it. */
export interface GateFiles {
  /** The path with all symbolic links resolved (realpath). Throws Posix ENOENT and the like. */
  resolve(path: string): string;
  /** Opens a regular file, read-only. */
  open(path: string): ByteSource;
}

/** The path as QEMU would open it for a reference. Throws Unsupported for protocols. */
export function resolveReference(reference: Reference): ResolvedName {
  const where = { image: reference.from.name };
  return reference.kind === 'data'
    ? resolveDataName(reference.name, reference.from.name)
    : resolveBackingName(reference.name, reference.from.name, where);
}

/**
 * Admits files that stand in the folder of `image` or below it, after all symbolic links: no absolute names, none that lead out with
 * `..`, none that are relative to the process, no protocols. `image` is the path by which the top image was opened.
 */
export function folderGate(image: string, files: GateFiles): Gate {
  let root: string | undefined;
  return function* (reference) {
    const resolved = resolveReference(reference);
    const refuse = (why: string): Refused =>
      new Refused(`the image refers to "${reference.name}", ${why}; only files in the image's own folder are opened`, {
        image: reference.from.name,
      });
    if (resolved.path === '' || resolved.path.includes('\0')) throw refuse('which is no file name');
    if (resolved.outside && resolved.path.startsWith('/')) throw refuse('an absolute name');
    if (resolved.outside) throw refuse('a name relative to the running process');
    root ??= parentOf(files.resolve(image));
    const real = files.resolve(resolved.path);
    if (!isBelow(real, root)) throw refuse(`which stands outside (${real})`);
    return files.open(resolved.path);
  };
}

function parentOf(path: string): string {
  const slash = path.replaceAll('\\', '/').lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

function isBelow(path: string, folder: string): boolean {
  const prefix = folder.endsWith('/') ? folder : `${folder}/`;
  return path.replaceAll('\\', '/').startsWith(prefix.replaceAll('\\', '/'));
}

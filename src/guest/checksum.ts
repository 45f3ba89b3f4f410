/** Checksums of regular files. */
import type { Bytes } from '../bytes/struct.ts';
import { GuestlessError } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { CHUNK_SIZE, type FileSource, forEachChunk } from './file-data.ts';
import type { Mount } from './mounts.ts';
import { NodeMap } from './node-map.ts';
import type { Path } from './path.ts';
import type { GuestTree } from './tree.ts';
import { type WalkEntry, type WalkOptions, walk } from './walk.ts';

/** A checksum in the making; node:crypto's Hash is one. */
export interface Hasher {
  update(bytes: Bytes): unknown;
  digest(): Bytes;
}

/** Begins a checksum by its name: md5, sha1, sha224, sha256, sha384, sha512, crc32. */
export type HashFactory = (algorithm: string) => Hasher;

export interface ChecksumOptions extends WalkOptions {
  /** Default sha256. */
  readonly algorithm?: string;
  /** Where checksums come from: `portableHashes`, or something faster such as node:crypto. */
  readonly hashes: HashFactory;
}

/** The checksum of one file. */
export function* fileChecksum(file: FileSource, hasher: Hasher, buffer?: Bytes): Io<Bytes> {
  yield* forEachChunk(file, buffer === undefined ? {} : { buffer }, (chunk) => {
    hasher.update(chunk);
    return undefined;
  });
  return hasher.digest();
}

/**
 * Shows the checksum of every regular file at or below a path, in byte order of the paths. A file with several names is read once; one that
 * cannot be read is told to `onError`.
 */
export function* checksums(
  tree: GuestTree,
  start: Path,
  options: ChecksumOptions,
  visit: (entry: WalkEntry, digest: Bytes) => Io<void> | undefined,
): Io<void> {
  const algorithm = options.algorithm ?? 'sha256';
  const buffer = new Uint8Array(CHUNK_SIZE);
  const known = new NodeMap<Mount, Bytes>();
  const walker = yield* walk(tree, start, { order: 'paths', ...options });
  for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
    if (entry.kind !== 'file') continue;
    const { mount, node, stat } = entry;
    let digest = stat.links > 1 ? known.get(mount, node) : undefined;
    if (digest === undefined) {
      const file = { fileSystem: mount.fileSystem, node, size: stat.size };
      try {
        digest = yield* fileChecksum(file, options.hashes(algorithm), buffer);
      } catch (error) {
        if (!(error instanceof GuestlessError) || options.onError === undefined) throw error;
        options.onError(error, entry.path);
        continue;
      }
      if (stat.links > 1) known.set(mount, node, digest);
    }
    const more = visit(entry, digest);
    if (more !== undefined) yield* more;
  }
}

/** Lower-case hexadecimal. */
export function hex(bytes: Bytes): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

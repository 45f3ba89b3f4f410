/** The contents of regular files, in whole and in pieces. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, Posix } from '../errors.ts';
import type { FileSystem, NodeId, Stat } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';

/** Whoever sees a file piece by piece. The piece is a view of a buffer that is used again: copy what you keep. */
export type ChunkVisitor = (chunk: Bytes, offset: number) => Io<void> | undefined;

export interface ChunkOptions {
  /** Largest piece in bytes; default 1 MiB. */
  readonly chunkSize?: number;
  /** The buffer to read into, in place of a new one; its length is the largest piece. */
  readonly buffer?: Bytes;
  /** Leave holes out, instead of showing their zeros. Default false. */
  readonly skipHoles?: boolean;
}

/** Bytes read at once where the caller does not say. */
export const CHUNK_SIZE: number = 1 << 20;

/** Where the bytes of a regular file are: what `stat` of a place or an entry gives, with its file system. */
export interface FileSource {
  readonly fileSystem: FileSystem;
  readonly node: NodeId;
  /** Length in bytes. */
  readonly size: number;
}

/** Throws Posix EISDIR for a directory, ENXIO for devices, FIFOs and sockets, which nobody here serves, EINVAL for a link itself. */
export function fileSource(fileSystem: FileSystem, stat: Stat, where: { readonly path?: string } = {}): FileSource {
  if (stat.kind === 'directory') throw new Posix('EISDIR', where);
  if (stat.kind !== 'file') throw new Posix(stat.kind === 'symlink' ? 'EINVAL' : 'ENXIO', where, `a ${stat.kind} has no contents to read`);
  return { fileSystem, node: stat.node, size: stat.size };
}

/** Fills `target` from byte `offset`; the file must be long enough. */
export function* readFully(file: FileSource, offset: number, target: Bytes): Io<void> {
  let done = 0;
  while (done < target.length) {
    const got = yield* file.fileSystem.read(file.node, offset + done, done === 0 ? target : target.subarray(done));
    if (got <= 0) {
      throw new Corrupt(`the file ends before byte ${offset + target.length}, its size says ${file.size}`, {
        layer: file.fileSystem.type,
        inode: file.node,
      });
    }
    done += got;
  }
}

/** Shows the file from its beginning to its end, in order. */
export function* forEachChunk(file: FileSource, options: ChunkOptions, visit: ChunkVisitor): Io<void> {
  const limit = options.buffer?.length ?? options.chunkSize ?? CHUNK_SIZE;
  const buffer = options.buffer ?? new Uint8Array(Math.min(limit, file.size));
  const { skipHoles = false } = options;
  for (let offset = 0; offset < file.size; ) {
    let runEnd = file.size;
    if (skipHoles) {
      const run = yield* file.fileSystem.mapFile(file.node, offset, file.size - offset);
      runEnd = offset + run.length;
      if (run.hole) {
        offset = runEnd;
        continue;
      }
    }
    while (offset < runEnd) {
      const length = Math.min(limit, runEnd - offset);
      const chunk = length === buffer.length ? buffer : buffer.subarray(0, length);
      yield* readFully(file, offset, chunk);
      const more = visit(chunk, offset);
      if (more !== undefined) yield* more;
      offset += length;
    }
  }
}

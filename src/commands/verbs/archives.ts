/** Verbs that carry trees and files in and out packed: tar, cpio, compressed files and devices, base64. */
import { type Bytes, decodeName } from '../../bytes/index.ts';
import { decodedPieces, type EncodedFormat, type StreamFormat, streamEncoder } from '../../codec/index.ts';
import { Posix, Unsupported } from '../../errors.ts';
import { type TarInOptions, unpackTar } from '../../guest/tar-in.ts';
import { writeTar } from '../../guest/tar-write.ts';
import type { Io } from '../../io/effect.ts';
import type { Pull, Push } from '../api/values.ts';
import { Base64Decoder, Base64Encoder } from './base64.ts';
import { openSource } from './contents.ts';
import { writeCpio } from './cpio-write.ts';
import { tarExcluder } from './exclude.ts';
import { newFileMode } from './files.ts';
import type { Handle } from './handle.ts';
import type { Verbs } from './verb.ts';

const PIECE = 1 << 18;

/** What the API calls ways of compression, for archives and for files. */
const TAR_COMPRESSIONS = ['compress', 'gzip', 'bzip2', 'xz', 'lzop', 'lzma', 'zstd'];
const FILE_COMPRESSIONS = ['compress', 'gzip', 'bzip2', 'xz', 'lzop'];
const HERE: Readonly<Record<string, StreamFormat & EncodedFormat>> = { gzip: 'gzip', bzip2: 'bzip2', xz: 'xz', zstd: 'zstd' };

/** Throws EINVAL for a way that the API does not know, Unsupported for one that is not here. */
function compression(name: string, known: readonly string[]): StreamFormat & EncodedFormat {
  if (!known.includes(name)) throw new Posix('EINVAL', {}, `unknown compression type '${name}': ${known.join(', ')}`);
  const format = HERE[name];
  if (format === undefined) throw new Unsupported(name, `compression by ${name} is not available; ${Object.keys(HERE).join(', ')} are`);
  return format;
}

/** Through a compressor, or as it is. */
function* compressing(handle: Handle, format: EncodedFormat | undefined, push: Push, body: (push: Push) => Io<void>): Io<void> {
  if (format === undefined) return yield* body(push);
  const encoder = streamEncoder(format, handle.host.codecs);
  yield* body(function* (bytes: Bytes): Io<void> {
    const packed = encoder.push(bytes);
    if (packed.length > 0) yield* push(packed);
  });
  yield* push(encoder.finish());
}

interface Attributes {
  readonly xattrs?: boolean | undefined;
  readonly selinux?: boolean | undefined;
  readonly acls?: boolean | undefined;
}

/** Which extended attributes go along: none unless they are asked for, as with tar. */
function attributeFilter({ xattrs = false, selinux = false, acls = false }: Attributes): (name: Bytes) => boolean {
  return (bytes) => {
    const name = decodeName(bytes);
    if (name === 'security.selinux') return selinux;
    return name.startsWith('system.posix_acl_') ? acls : xattrs;
  };
}

function* packTar(
  handle: Handle,
  directory: string,
  push: Push,
  options: Attributes & { readonly compress?: string | undefined; readonly excludes?: readonly string[] | undefined },
): Io<void> {
  const format = options.compress === undefined ? undefined : compression(options.compress, TAR_COMPRESSIONS);
  if (!directory.startsWith('/')) throw new Posix('EINVAL', {}, `path must start with a / character, unlike '${directory}'`);
  handle.requireMount();
  const { tree } = handle;
  yield* tree.directory(directory);
  const base = (yield* tree.realpath(directory)).length;
  const { excludes = [] } = options;
  const excluded = tarExcluder(excludes);
  const exclude = (path: Bytes): boolean => excluded(path.subarray(base === 1 ? 1 : base + 1));
  yield* compressing(handle, format, push, function* (sink) {
    yield* writeTar(
      tree,
      directory,
      {
        followStart: true,
        xattrs: attributeFilter(options),
        sparse: false,
        ...(excludes.length === 0 ? {} : { exclude }),
        onWarning: ({ message, path }) => handle.host.warn(`${decodeName(path)}: ${message}`),
      },
      (bytes) => sink(bytes),
    );
  });
}

function* unpackArchive(handle: Handle, pull: Pull, directory: string, options: TarInOptions, compress: string | undefined): Io<void> {
  const format = compress === undefined ? undefined : compression(compress, TAR_COMPRESSIONS);
  yield* handle.tree.directory(directory);
  yield* unpackTar(handle.tree, directory, format === undefined ? pull : decodedPieces(pull, handle.host.codecs.stream(format)), options);
}

function* packFile(handle: Handle, ctype: string, level: number | undefined, name: string, push: Push): Io<void> {
  const format = compression(ctype, FILE_COMPRESSIONS);
  if (level !== undefined && !(level >= 1 && level <= 9)) throw new Posix('EINVAL', {}, `a level of ${level}: 1 to 9`);
  const source = yield* openSource(handle, name);
  yield* compressing(handle, format, push, function* (sink) {
    const piece = new Uint8Array(Math.min(PIECE, source.size));
    for (let at = 0; at < source.size; at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, source.size - at));
      yield* source.readInto(at, part);
      yield* sink(part);
      yield* handle.progress(Math.min(at + piece.length, source.size), source.size);
    }
  });
}

export const archiveVerbs: Verbs = {
  tar_in: {
    summary: 'unpacks a tar archive into a directory',
    *run(handle, { tarfile, directory, compress, keepdirlink, ...attributes }) {
      const options = { xattrs: attributeFilter(attributes), keepDirectoryLinks: keepdirlink === true };
      yield* unpackArchive(handle, tarfile, directory, options, compress);
    },
  },
  tgz_in: {
    summary: 'unpacks a tar archive compressed by gzip into a directory',
    *run(handle, { tarball, directory }) {
      yield* unpackArchive(handle, tarball, directory, { xattrs: false }, 'gzip');
    },
  },
  txz_in: {
    summary: 'unpacks a tar archive compressed by xz into a directory',
    *run(handle, { tarball, directory }) {
      yield* unpackArchive(handle, tarball, directory, { xattrs: false }, 'xz');
    },
  },
  tar_out: {
    summary: 'packs a directory into a tar archive',
    *run(handle, { directory, tarfile, ...options }) {
      yield* packTar(handle, directory, tarfile, options);
    },
  },
  tgz_out: {
    summary: 'packs a directory into a tar archive compressed by gzip',
    *run(handle, { directory, tarball }) {
      yield* packTar(handle, directory, tarball, { compress: 'gzip' });
    },
  },
  txz_out: {
    summary: 'packs a directory into a tar archive in the form of xz',
    *run(handle, { directory, tarball }) {
      yield* packTar(handle, directory, tarball, { compress: 'xz' });
    },
  },
  cpio_out: {
    summary: 'packs a directory into a cpio archive',
    *run(handle, { directory, cpiofile, format = 'newc' }) {
      if (format !== 'newc' && format !== 'crc') throw new Posix('EINVAL', {}, `unknown format '${format}': newc, crc`);
      if (!directory.startsWith('/')) throw new Posix('EINVAL', {}, `path must start with a / character, unlike '${directory}'`);
      handle.requireMount();
      yield* writeCpio(handle, directory, format, cpiofile);
    },
  },
  compress_out: {
    summary: 'copies a file out of the guest, compressed',
    *run(handle, { ctype, file, zfile, level }) {
      yield* packFile(handle, ctype, level, file, zfile);
    },
  },
  compress_device_out: {
    summary: 'copies a device out of the guest, compressed',
    *run(handle, { ctype, device, zdevice, level }) {
      yield* packFile(handle, ctype, level, device, zdevice);
    },
  },
  base64_in: {
    summary: 'writes a file from base64',
    *run(handle, { base64file, filename }) {
      const decoder = new Base64Decoder();
      let ended = false;
      yield* handle.tree.writeFrom(filename, { mode: newFileMode(handle) }, function* () {
        const piece = ended ? undefined : yield* base64file();
        if (piece !== undefined) return decoder.push(piece);
        if (!ended) decoder.finish();
        ended = true;
        return undefined;
      });
    },
  },
  base64_out: {
    summary: 'copies a file out of the guest as base64',
    *run(handle, { filename, base64file }) {
      const encoder = new Base64Encoder();
      const source = yield* openSource(handle, filename);
      const piece = new Uint8Array(Math.min(PIECE, source.size));
      for (let at = 0; at < source.size; at += piece.length) {
        const part = piece.subarray(0, Math.min(piece.length, source.size - at));
        yield* source.readInto(at, part);
        yield* base64file(encoder.push(part));
      }
      yield* base64file(encoder.finish());
    },
  },
};

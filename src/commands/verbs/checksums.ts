/** Verbs about checksums. */
import { encodeName } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import { hex } from '../../guest/checksum.ts';
import { readFully } from '../../guest/file-data.ts';
import { walk } from '../../guest/walk.ts';
import type { Io } from '../../io/effect.ts';
import { Cksum } from './cksum.ts';
import { openSource, type Source } from './contents.ts';
import type { Handle } from './handle.ts';
import { relativeName } from './listing.ts';
import type { Verbs } from './verb.ts';

const TYPES = ['crc', 'md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'];
const PIECE = 1 << 20;

function requireType(name: string): string {
  const type = name.toLowerCase();
  if (!TYPES.includes(type)) throw new Posix('EINVAL', {}, `there is no checksum '${name}': ${TYPES.join(', ')}`);
  return type;
}

/** The checksum as its tool prints it. */
function* checksumOf(handle: Handle, type: string, source: Source): Io<string> {
  const hasher = type === 'crc' ? new Cksum() : handle.host.hashes(type);
  const piece = new Uint8Array(Math.min(PIECE, source.size));
  for (let at = 0; at < source.size; at += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, source.size - at));
    yield* source.readInto(at, part);
    hasher.update(part);
  }
  return hasher instanceof Cksum ? String(hasher.value()) : hex(hasher.digest());
}

export const checksumVerbs: Verbs = {
  checksum: {
    summary: 'gives the checksum of a file',
    *run(handle, { csumtype, path }) {
      return yield* checksumOf(handle, requireType(csumtype), yield* openSource(handle, path));
    },
  },
  checksum_device: {
    summary: 'gives the checksum of a device',
    *run(handle, { csumtype, device }) {
      return yield* checksumOf(handle, requireType(csumtype), yield* openSource(handle, device));
    },
  },
  checksums_out: {
    summary: 'gives the checksums of all files below a directory',
    *run(handle, { csumtype, directory, sumsfile }) {
      const type = requireType(csumtype);
      const { tree } = handle;
      yield* tree.directory(directory);
      const walker = yield* walk(tree, directory, { followStart: true });
      const top = (yield* walker.next())?.path ?? encodeName('/');
      for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
        if (entry.kind !== 'file') continue;
        const file = { fileSystem: entry.mount.fileSystem, node: entry.node, size: entry.stat.size };
        const source: Source = { size: file.size, readInto: (offset, target) => readFully(file, offset, target) };
        const sum = yield* checksumOf(handle, type, source);
        const name = relativeName(top, entry.path);
        yield* sumsfile(encodeName(type === 'crc' ? `${sum} ${file.size} ./${name}\n` : sumLine(sum, `./${name}`)));
      }
    },
  },
};

/** A line of md5sum(1) and its kin: a name with a backslash, newline or carriage return is escaped, and the line begins with a backslash. */
function sumLine(sum: string, name: string): string {
  if (!/[\\\n\r]/.test(name)) return `${sum}  ${name}\n`;
  return `\\${sum}  ${name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}\n`;
}

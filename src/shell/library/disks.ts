/** Image files of the host, which need no handle: making them and looking at them. */
import { create } from '../../commands/image/create.ts';
import { Invocation } from '../../commands/invocation.ts';
import { Posix } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import type { Io } from '../../io/effect.ts';
import type { LibraryFunctions, Session } from '../session.ts';

function* withImage<T>(session: Session, name: string, look: (image: Image) => T): Io<T> {
  return look(yield* session.host.files.openImage(name, {}));
}

export const diskFunctions: LibraryFunctions = {
  *disk_create(session, { filename, format, size, backingfile, backingformat, preallocation, compat, clustersize }) {
    if (format !== 'raw' && format !== 'qcow2') throw new Posix('EINVAL', {}, `unsupported format '${format}': there are raw and qcow2`);
    if (size < 0 && (size !== -1 || backingfile === undefined)) throw new Posix('EINVAL', {}, `invalid size: ${size}`);
    const options: string[] = [];
    if (compat !== undefined) options.push(`compat=${compat}`);
    if (clustersize !== undefined) options.push(`cluster_size=${clustersize}`);
    if (preallocation !== undefined && !(format === 'raw' && /^(?:off|sparse)$/.test(preallocation))) {
      options.push(`preallocation=${preallocation === 'sparse' ? 'off' : preallocation}`);
    }
    if (format === 'raw') {
      if (backingfile !== undefined) throw new Posix('EINVAL', {}, 'a raw image has no backing file');
      yield* session.host.createDisk(filename, size, preallocation === 'full');
      return;
    }
    const given = new Map<string, readonly string[]>([['FILE', [filename]]]);
    if (size >= 0) given.set('SIZE', [String(size)]);
    const named = new Map<string, readonly string[]>([
      ['--format', [format]],
      ['--options', options],
    ]);
    if (backingfile !== undefined) {
      named.set('--backing', [backingfile]);
      named.set('--backing-format', [backingformat ?? (yield* withImage(session, backingfile, (image) => image.format))]);
    }
    yield* create(new Invocation({ name: 'img create' }, given, named), session.host.files, { terminal: false, json: false, *write() {} });
  },
  *disk_format(session, { filename }) {
    return yield* withImage(session, filename, (image) => image.format);
  },
  *disk_virtual_size(session, { filename }) {
    return yield* withImage(session, filename, (image) => image.size);
  },
  *disk_has_backing_file(session, { filename }) {
    return yield* withImage(session, filename, (image) => image.backing !== undefined);
  },
};

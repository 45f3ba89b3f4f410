/** Functions on files that the client library makes out of the daemon's. */
import { type Bytes, concatBytes, decodeName } from '../../bytes/index.ts';
import type { StatnsStruct, StatStruct } from '../../commands/api/calls.ts';
import type { Push } from '../../commands/api/values.ts';
import { Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import type { LibraryFunctions, Session } from '../session.ts';

/** The largest file that is taken into memory whole. */
const FILE_LIMIT = 1 << 30;

/** What a function pushes, in whole. */
function* collect(run: (push: Push) => Io<void>, limit: number = FILE_LIMIT): Io<Bytes> {
  const pieces: Bytes[] = [];
  let length = 0;
  // biome-ignore lint/correctness/useYield: only gathers
  yield* run(function* (bytes) {
    length += bytes.length;
    if (length > limit) throw new Posix('EFBIG', {}, `more than ${limit} bytes; use download`);
    pieces.push(bytes.slice());
  });
  return concatBytes(...pieces);
}

function contents(session: Session, path: string): Io<Bytes> {
  return collect((filename) => session.call('download', { remotefilename: path, filename }));
}

/** Names that each end with NUL. */
function names(bytes: Bytes): string[] {
  const found: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0, start);
    found.push(decodeName(bytes.subarray(start, end < 0 ? bytes.length : end)));
    start = end < 0 ? bytes.length : end + 1;
  }
  return found;
}

function oldStat(stat: StatnsStruct): StatStruct {
  return {
    dev: stat.st_dev,
    ino: stat.st_ino,
    mode: stat.st_mode,
    nlink: stat.st_nlink,
    uid: stat.st_uid,
    gid: stat.st_gid,
    rdev: stat.st_rdev,
    size: stat.st_size,
    blksize: stat.st_blksize,
    blocks: stat.st_blocks,
    atime: stat.st_atime_sec,
    mtime: stat.st_mtime_sec,
    ctime: stat.st_ctime_sec,
  };
}

export const fileFunctions: LibraryFunctions = {
  *cat(session, { path }) {
    const bytes = yield* contents(session, path);
    const end = bytes.indexOf(0);
    return decodeName(end < 0 ? bytes : bytes.subarray(0, end));
  },
  *read_file(session, { path }) {
    return yield* contents(session, path);
  },
  *read_lines(session, { path }) {
    const text = decodeName(yield* contents(session, path));
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  },
  *ls(session, { directory }) {
    return names(yield* collect((filenames) => session.call('ls0', { dir: directory, filenames })));
  },
  *find(session, { directory }) {
    return names(yield* collect((files) => session.call('find0', { directory, files }))).sort();
  },
  *stat(session, { path }) {
    return oldStat(yield* session.call('statns', { path }));
  },
  *lstat(session, { path }) {
    return oldStat(yield* session.call('lstatns', { path }));
  },
  *lstatlist(session, { path, names }) {
    return (yield* session.call('internal_lstatnslist', { path, names })).map(oldStat);
  },
  *lstatnslist(session, { path, names }) {
    return yield* session.call('internal_lstatnslist', { path, names });
  },
  *lxattrlist(session, { path, names }) {
    return yield* session.call('internal_lxattrlist', { path, names });
  },
  *readlinklist(session, { path, names }) {
    return yield* session.call('internal_readlinklist', { path, names });
  },
  *write(session, { path, content }) {
    yield* session.call('internal_write', { path, content });
  },
  *write_append(session, { path, content }) {
    yield* session.call('internal_write_append', { path, content });
  },
};

/** Files of the guest in programs of the host: editors, pagers. */
import { type Bytes, concatBytes } from '../../bytes/index.ts';
import { sameBytes } from '../../bytes/text.ts';
import { Posix, Unsupported } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { ShellError } from '../error.ts';
import { parseInt64 } from '../number.ts';
import type { OwnCommand, Session } from '../session.ts';

/** A file or part of a device longer than this is not edited: 64 MiB. */
const EDIT_LIMIT = 64 << 20;

function* read(session: Session, remotefilename: string, offset: number, size: number): Io<Bytes> {
  if (size > EDIT_LIMIT) throw new Posix('EFBIG', {}, `${remotefilename}: ${size} bytes are too much for an editor; name a part`);
  const pieces: Bytes[] = [];
  // biome-ignore lint/correctness/useYield: only gathers
  const filename = function* (bytes: Bytes): Io<void> {
    pieces.push(bytes.slice());
  };
  if (size > 0) yield* session.call('download_offset', { remotefilename, filename, offset, size });
  return concatBytes(...pieces);
}

/** The name as the commands of libguestfs want it, `win:` forms included. */
function guestPath(words: readonly string[], usage: string): string {
  const [path] = words;
  if (path === undefined) throw new ShellError(`it takes ${usage}`);
  return path;
}

function editing(names: readonly string[], program: (session: Session) => string): OwnCommand {
  return {
    names,
    usage: 'FILE',
    summary: 'opens a file of the guest in an editor of the host',
    *run(session, words, name) {
      if (words.length !== 1) throw new ShellError(`${name} takes one FILE`);
      const path = yield* session.call('realpath', { path: yield* session.guestPath(guestPath(words, 'FILE')) });
      const before = yield* read(session, path, 0, Number(yield* session.call('filesize', { file: path })));
      const after = yield* session.host.edit(program(session), path.slice(path.lastIndexOf('/') + 1), before);
      if (after === undefined || sameBytes(before, after)) return;
      // The file keeps its inode and with it owner, permissions and attributes.
      yield* session.call('write', { path, content: after });
    },
  };
}

function paging(names: readonly string[], program: (session: Session) => string): OwnCommand {
  return {
    names,
    usage: 'FILE',
    summary: 'shows a file of the guest in a pager of the host',
    *run(session, words, name) {
      if (words.length !== 1) throw new ShellError(`${name} takes one FILE`);
      const path = yield* session.guestPath(guestPath(words, 'FILE'));
      yield* session.host.show(program(session), (filename) => session.call('download', { remotefilename: path, filename }));
    },
  };
}

/** `hexedit FILE`, `hexedit FILE MAX`, `hexedit FILE START MAX`. */
function* hexedit(session: Session, words: readonly string[]): Io<void> {
  if (words.length < 1 || words.length > 3) throw new ShellError('hexedit takes FILE [MAX | START MAX]');
  const path = yield* session.guestPath(words[0] ?? '');
  const isDevice = path.startsWith('/dev/');
  const whole = Number(yield* isDevice ? session.call('blockdev_getsize64', { device: path }) : session.call('filesize', { file: path }));
  const start = words.length === 3 ? Number(parseInt64(words[1] ?? '', 'start')) : 0;
  const most = words.length === 1 ? whole : Number(parseInt64(words.at(-1) ?? '', 'max'));
  if (!(start >= 0 && start <= whole && most >= 0)) throw new ShellError(`hexedit: ${path} has ${whole} bytes`);
  const before = yield* read(session, path, start, Math.min(most, whole - start));
  const program = session.host.environment('HEXEDITOR') ?? 'hexedit';
  const after = yield* session.host.edit(program, path.slice(path.lastIndexOf('/') + 1), before);
  if (after === undefined || sameBytes(before, after)) return;
  if (after.length !== before.length)
    throw new ShellError(`hexedit: the length changed from ${before.length} to ${after.length}; nothing was written`);
  let given = false;
  // biome-ignore lint/correctness/useYield: a stream that is here already
  const filename = function* (): Io<Bytes | undefined> {
    if (given) return undefined;
    given = true;
    return after;
  };
  yield* session.call('upload_offset', { filename, remotefilename: path, offset: start });
}

export const editCommands: readonly OwnCommand[] = [
  editing(['edit'], (session) => session.host.environment('EDITOR') || 'vi'),
  editing(['vi'], () => 'vi'),
  editing(['emacs'], () => 'emacs'),
  paging(['more'], (session) => session.host.environment('PAGER') || 'more'),
  paging(['less'], () => 'less'),
  {
    names: ['hexedit'],
    usage: 'FILE|DEVICE [MAX | START MAX]',
    summary: 'opens bytes of a file or device of the guest in a hexadecimal editor of the host',
    run: (session, words) => hexedit(session, words),
  },
  {
    names: ['display'],
    usage: 'FILE',
    summary: 'would show a picture; not supported, use download and a viewer of the host',
    // biome-ignore lint/correctness/useYield: nothing to do
    *run() {
      throw new Unsupported('display', 'pictures are not shown; download the file and open it with a viewer of the host');
    },
  },
];

/** The list that `ls -la` prints, with numbers for users and groups and times in UTC. */
import { compareBytes, decodeName, encodeName } from '../../bytes/index.ts';
import { type FileKind, kindOfMode, type Stat } from '../../filesystem/filesystem.ts';
import type { Place } from '../../guest/mounts.ts';
import { pathOf } from '../../guest/mounts.ts';
import type { Io } from '../../io/effect.ts';
import type { Handle } from './handle.ts';

/** Where the root of the guest is for the programs of libguestfs's appliance; it shows in the list of a single file. */
export const SYSROOT = '/sysroot';

interface Row {
  readonly name: string;
  readonly stat: Stat;
  readonly target: string | undefined;
  readonly hasAcl: boolean;
  readonly context: string;
}

export function* longList(handle: Handle, path: string, options: { readonly context: boolean }): Io<string> {
  const { tree, host } = handle;
  const now = host.now().seconds;
  const here = yield* tree.resolve(path);
  if (here.stat.kind !== 'directory') return lines([yield* rowOf(here, SYSROOT + decodeName(pathOf(here)))], now, options.context);
  const rows = [yield* rowOf(here, '.'), yield* rowOf(here.parent ?? here, '..')];
  for (const name of yield* tree.names(path)) {
    rows.push(yield* rowOf(yield* tree.resolve(name, { followLast: false, from: here }), name));
  }
  const blocks = rows.reduce((sum, { stat }) => sum + stat.blocks, 0);
  // Those two come where their bytes fall among the names.
  rows.sort((a, b) => compareBytes(encodeName(a.name), encodeName(b.name)));
  return `total ${Math.ceil(blocks / 2)}\n${lines(rows, now, options.context)}`;
}

function* rowOf(place: Place, name: string): Io<Row> {
  const { mount, node, stat } = place;
  const target = stat.kind === 'symlink' ? decodeName(yield* mount.fileSystem.readlink(node)) : undefined;
  let hasAcl = false;
  let context = '?';
  for (const attribute of yield* mount.fileSystem.xattrs(node)) {
    const attributeName = decodeName(attribute.name);
    if (attributeName.startsWith('system.posix_acl_')) hasAcl = true;
    else if (attributeName === 'security.selinux') context = decodeName(attribute.value).replace(/\0$/, '');
  }
  return { name, stat, target, hasAcl, context };
}

function lines(rows: readonly Row[], now: number, context: boolean): string {
  const anyAcl = rows.some((row) => row.hasAcl);
  const devices = rows.flatMap(({ stat }) => (stat.device === undefined ? [] : [stat.device]));
  const majorWidth = Math.max(0, ...devices.map(({ major }) => String(major).length));
  const minorWidth = Math.max(0, ...devices.map(({ minor }) => String(minor).length));
  const deviceWidth = devices.length === 0 ? 0 : majorWidth + 2 + minorWidth;
  const width = (text: (row: Row) => string): number => rows.reduce((most, row) => Math.max(most, text(row).length), 0);
  const links = width(({ stat }) => String(stat.links));
  const user = width(({ stat }) => String(stat.uid));
  const group = width(({ stat }) => String(stat.gid));
  const contexts = width((row) => row.context);
  const size = Math.max(
    deviceWidth,
    width(({ stat }) => (stat.device === undefined ? String(stat.size) : '')),
  );
  return rows
    .map((row) => {
      const { stat } = row;
      const length =
        stat.device === undefined
          ? String(stat.size)
          : `${String(stat.device.major).padStart(majorWidth)}, ${String(stat.device.minor).padStart(minorWidth)}`;
      const words = [
        modeText(stat.mode) + (row.hasAcl ? '+' : anyAcl ? ' ' : ''),
        String(stat.links).padStart(links),
        String(stat.uid).padStart(user),
        String(stat.gid).padStart(group),
        ...(context ? [row.context.padEnd(contexts)] : []),
        length.padStart(size),
        timeText(stat.mtime.seconds, now),
        row.target === undefined ? row.name : `${row.name} -> ${row.target}`,
      ];
      return `${words.join(' ')}\n`;
    })
    .join('');
}

const TYPES: Readonly<Record<FileKind, string>> = {
  socket: 's',
  symlink: 'l',
  file: '-',
  block: 'b',
  directory: 'd',
  character: 'c',
  fifo: 'p',
};

/** Type and permissions as `-rwxr-xr-x`. */
function modeText(mode: number): string {
  const triple = (bits: number, special: boolean, letter: string): string =>
    (bits & 4 ? 'r' : '-') + (bits & 2 ? 'w' : '-') + (special ? (bits & 1 ? letter : letter.toUpperCase()) : bits & 1 ? 'x' : '-');
  const kind = kindOfMode(mode);
  const type = kind === undefined ? '?' : TYPES[kind];
  return (
    type +
    triple(mode >> 6, (mode & 0o4000) !== 0, 's') +
    triple(mode >> 3, (mode & 0o2000) !== 0, 's') +
    triple(mode, (mode & 0o1000) !== 0, 't')
  );
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Half a mean year of the Gregorian calendar, in seconds. */
const HALF_YEAR = 31_556_952 / 2;
/** Times beyond this many seconds have no calendar date in JavaScript. */
const DATE_LIMIT = 8.64e12;

/** The hour of a time within the last half year, else the year. */
function timeText(seconds: number, now: number): string {
  if (Math.abs(seconds) > DATE_LIMIT) return String(seconds);
  const date = new Date(seconds * 1000);
  const day = `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)}`;
  const two = (number: number): string => String(number).padStart(2, '0');
  if (seconds <= now && seconds > now - HALF_YEAR) return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  return `${day}  ${date.getUTCFullYear()}`;
}

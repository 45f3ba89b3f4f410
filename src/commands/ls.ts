/** `ls`: names of a directory, in four ways. */
import { compareBytes, decodeName } from '../bytes/text.ts';
import { GuestlessError } from '../errors.ts';
import type { Stat } from '../filesystem/filesystem.ts';
import { type Place, pathOf } from '../guest/mounts.ts';
import type { GuestTree } from '../guest/tree.ts';
import { type WalkEntry, walk } from '../guest/walk.ts';
import type { Io } from '../io/effect.ts';
import { readAccounts } from './accounts.ts';
import { Damage } from './damage.ts';
import type { Run } from './declaration.ts';
import { dateTime, KIND_LETTER, octal, permissions, statRecord } from './file-text.ts';
import type { Invocation } from './invocation.ts';
import { openTree } from './open.ts';
import { JsonLines, type Output, Printer } from './output.ts';
import { shownPaths } from './shown-path.ts';

export const ls: Run = function* (invocation, host, output): Io<number> {
  const tree = yield* openTree(invocation, host);
  const path = invocation.optional('PATH') ?? '/';
  const long = invocation.has('--long');
  const damage = new Damage(host);
  if (invocation.has('--recursive')) {
    if (output.json) yield* recursiveJson(tree, path, output, damage);
    else if (long) yield* recursiveLong(tree, path, invocation, output, damage);
    else yield* recursiveNames(tree, path, output, damage);
  } else if (long || output.json) {
    yield* listLong(tree, path, invocation, output, damage);
  } else yield* listNames(tree, path, output);
  return damage.status;
};

function* listNames(tree: GuestTree, path: string, output: Output): Io<void> {
  const place = yield* tree.resolve(path);
  const printer = new Printer(output);
  if (place.stat.kind === 'directory') {
    const entries = [...(yield* tree.readdir(path))].sort((a, b) => compareBytes(a.name, b.name));
    for (const entry of entries) {
      printer.name(entry.name);
      yield* printer.line();
    }
  } else {
    printer.text(path);
    yield* printer.line();
  }
  yield* printer.flush();
}

/** As guestfish's find: everything below, relative to the directory, in byte order of the paths. */
function* recursiveNames(tree: GuestTree, path: string, output: Output, damage: Damage): Io<void> {
  const start = yield* tree.directory(path);
  const skip = relativeStart(start);
  const printer = new Printer(output);
  const walker = yield* walk(tree, path, { order: 'paths', followStart: true, onError: damage.onError });
  for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
    if (entry.depth === 0) continue;
    printer.name(entry.path.subarray(skip));
    yield* printer.line();
  }
  yield* printer.flush();
}

function relativeStart(place: Place): number {
  const path = pathOf(place);
  return path.length === 1 ? 1 : path.length + 1;
}

/** As virt-ls -lR, byte for byte: the directory itself first, paths as the caller began them. */
function* recursiveLong(tree: GuestTree, path: string, invocation: Invocation, output: Output, damage: Damage): Io<void> {
  const printer = new Printer(output);
  const uids = invocation.has('--uids');
  const times = invocation.has('--times');
  const extra = invocation.has('--extra-stats');
  const shown = shownPaths(path, yield* tree.realpath(path));
  const walker = yield* walk(tree, path, { order: 'names', followStart: true, onError: damage.onError });
  for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
    const { stat, kind } = entry;
    printer.text(`${KIND_LETTER[kind]} ${octal(stat.mode)} ${String(stat.size).padStart(10)} `);
    if (uids) printer.text(`${String(stat.uid).padStart(4)} ${String(stat.gid).padStart(4)} `);
    if (times) printer.text(`${dateTime(stat.atime)} ${dateTime(stat.mtime)} ${dateTime(stat.ctime)} `);
    if (extra) printer.text(`${extraStats(tree, entry)} `);
    printer.name(shown(entry.path));
    if (kind === 'symlink') printer.text(' -> ').name(yield* linkTarget(entry, damage));
    yield* printer.line();
  }
  yield* printer.flush();
}

/** Device, inode, links, device number, blocks. The device is the place in the mount table, as nothing else numbers it here. */
function extraStats(tree: GuestTree, { stat, mount }: WalkEntry): string {
  const { major, minor } = stat.device ?? { major: 0, minor: 0 };
  return `0:${tree.mounts.indexOf(mount)} ${stat.node} ${stat.links} ${major}:${minor} ${stat.blocks}`;
}

function* linkTarget(entry: WalkEntry, damage: Damage): Io<Uint8Array> {
  try {
    return yield* entry.mount.fileSystem.readlink(entry.node);
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    damage.onError(error, entry.path);
    return NOTHING;
  }
}

const NOTHING = new Uint8Array(0);

function* recursiveJson(tree: GuestTree, path: string, output: Output, damage: Damage): Io<void> {
  const lines = new JsonLines(output);
  const walker = yield* walk(tree, path, { order: 'names', followStart: true, onError: damage.onError });
  for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
    const target = entry.kind === 'symlink' ? yield* linkTarget(entry, damage) : undefined;
    yield* lines.add(statRecord(entry.path, entry.stat, target));
  }
  yield* lines.end();
}

interface Row {
  readonly entry: WalkEntry;
  readonly target: Uint8Array | undefined;
}

function* listLong(tree: GuestTree, path: string, invocation: Invocation, output: Output, damage: Damage): Io<void> {
  const rows: Row[] = [];
  const walker = yield* walk(tree, path, { order: 'names', maxDepth: 1, followStart: true, onError: damage.onError });
  for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
    if (entry.depth === 0 && entry.kind === 'directory') continue;
    rows.push({ entry, target: entry.kind === 'symlink' ? yield* linkTarget(entry, damage) : undefined });
  }
  if (output.json) {
    const lines = new JsonLines(output);
    for (const { entry, target } of rows) yield* lines.add({ name: decodeName(entry.name), ...statRecord(entry.path, entry.stat, target) });
    yield* lines.end();
    return;
  }
  const accounts = invocation.has('--numeric') ? undefined : yield* readAccounts(tree);
  const cells = rows.map(({ entry: { stat } }) => [
    String(stat.links),
    accounts?.users.get(stat.uid) ?? String(stat.uid),
    accounts?.groups.get(stat.gid) ?? String(stat.gid),
    sizeOrDevice(stat),
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...cells.map((row) => row[column]?.length ?? 0)));
  const printer = new Printer(output);
  for (const [i, { entry, target }] of rows.entries()) {
    const [links = '', user = '', group = '', size = ''] = cells[i] ?? [];
    printer.text(`${KIND_LETTER[entry.kind]}${permissions(entry.stat.mode)} ${links.padStart(widths[0] ?? 0)} `);
    printer.text(`${user.padEnd(widths[1] ?? 0)} ${group.padEnd(widths[2] ?? 0)} ${size.padStart(widths[3] ?? 0)} `);
    printer.text(`${dateTime(entry.stat.mtime)} `).name(entry.name);
    if (target !== undefined) printer.text(' -> ').name(target);
    yield* printer.line();
  }
  yield* printer.flush();
}

function sizeOrDevice({ size, device }: Stat): string {
  return device === undefined ? String(size) : `${device.major}, ${device.minor}`;
}

/** What the kernel said of a fixture, and the same walk by us, in the same words. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodeName, encodeName, latin1 } from '../../src/bytes/text.ts';
import { Posix } from '../../src/errors.ts';
import type { Ext4 } from '../../src/ext4/index.ts';
import type { DirectoryEntry, DirectoryPart, Timestamp, Usage } from '../../src/filesystem/filesystem.ts';
import type { Io } from '../../src/io/effect.ts';
import { FIXTURES } from '../support/images.ts';

export interface GoldenNode {
  readonly path: string;
  readonly kind: string;
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly blocks: number;
  readonly mtime: string;
  readonly atime: string;
  readonly ctime: string;
  readonly device?: readonly [number, number];
  readonly target?: string;
  readonly sha256?: string;
  readonly segments?: readonly (readonly [number, number, string])[];
  /** errno of open or read. */
  readonly error?: number;
  readonly xattrs?: Readonly<Record<string, string>>;
}

export interface Golden {
  /** `kernel`: through a loop mount of the image. `source`: of the tree that mke2fs took over. */
  readonly judge: 'kernel' | 'source';
  readonly usage: Usage;
  readonly nodes: readonly GoldenNode[];
}

export function golden(name: string): Golden {
  return JSON.parse(gunzipSync(fs.readFileSync(path.join(FIXTURES, 'ext4', `${name}.json.gz`))).toString()) as Golden;
}

/** All fixtures that have a golden walk. */
export function goldenNames(): string[] {
  const files = fs.readdirSync(path.join(FIXTURES, 'ext4'));
  return files.filter((file) => /^(ext|rev).*\.json\.gz$/.test(file)).map((file) => file.slice(0, -'.json.gz'.length));
}

const LARGE = 64 << 20;

function nanoseconds({ seconds, nanoseconds }: Timestamp): string {
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));
}

/** Every entry of a directory. */
export function* entriesOf(fs: Ext4, directory: number): Io<DirectoryEntry[]> {
  const entries: DirectoryEntry[] = [];
  for (let cursor: number | undefined = 0; cursor !== undefined; ) {
    const part: DirectoryPart = yield* fs.readDirectory(directory, cursor);
    entries.push(...part.entries);
    cursor = part.next;
  }
  return entries;
}

function* contents(fs: Ext4, node: number, size: number): Io<Partial<GoldenNode>> {
  if (size <= LARGE) {
    const bytes = new Uint8Array(size + 10);
    const got = yield* fs.read(node, 0, bytes);
    return { sha256: createHash('sha256').update(bytes.subarray(0, got)).digest('hex') };
  }
  const segments: [number, number, string][] = [];
  for (let offset = 0; offset < size; ) {
    const run = yield* fs.mapFile(node, offset, size - offset);
    let end = offset + run.length;
    // Runs that continue each other in the file are one segment, wherever they stand on the device.
    while (!run.hole && end < size) {
      const next = yield* fs.mapFile(node, end, size - end);
      if (next.hole) break;
      end += next.length;
    }
    if (!run.hole) {
      const bytes = new Uint8Array(end - offset);
      yield* fs.read(node, offset, bytes);
      segments.push([offset, bytes.length, createHash('sha256').update(bytes).digest('hex')]);
    }
    offset = end;
  }
  return { segments };
}

export function* describeNode(fs: Ext4, node: number, path: string): Io<GoldenNode> {
  const stat = yield* fs.stat(node);
  let read: Partial<GoldenNode> = {};
  if (stat.kind === 'file') {
    try {
      read = yield* contents(fs, node, stat.size);
    } catch (error) {
      if (!(error instanceof Posix && error.code === 'ENOKEY')) throw error;
      read = { error: 126 };
    }
  }
  const xattrs = yield* fs.xattrs(node);
  const pairs = xattrs.map(({ name, value }) => [decodeName(name), Buffer.from(value).toString('hex')] as const);
  return {
    path,
    kind: stat.kind,
    inode: node,
    mode: stat.mode,
    links: stat.links,
    uid: stat.uid,
    gid: stat.gid,
    size: stat.size,
    blocks: stat.blocks,
    mtime: nanoseconds(stat.mtime),
    atime: nanoseconds(stat.atime),
    ctime: nanoseconds(stat.ctime),
    ...(stat.device === undefined ? {} : { device: [stat.device.major, stat.device.minor] as const }),
    ...(stat.kind === 'symlink' ? { target: decodeName(yield* fs.readlink(node)) } : {}),
    ...read,
    ...(pairs.length === 0 ? {} : { xattrs: Object.fromEntries(pairs) }),
  };
}

/** The whole tree, each directory before what is in it, names in the order of their bytes. */
export function* walk(fs: Ext4, node: number = fs.root, path = '', nodes: GoldenNode[] = []): Io<GoldenNode[]> {
  const described = yield* describeNode(fs, node, path);
  nodes.push(described);
  if (described.kind !== 'directory') return nodes;
  const entries = yield* entriesOf(fs, node);
  entries.sort((a, b) => (latin1(a.name) < latin1(b.name) ? -1 : 1));
  for (const entry of entries) {
    const name = decodeName(entry.name);
    yield* walk(fs, entry.node, path === '' ? name : `${path}/${name}`, nodes);
  }
  return nodes;
}

/** The node of a path inside of the fixture, found by looking names up. */
export function* resolve(fs: Ext4, path: string): Io<number> {
  let node = fs.root;
  for (const part of path.split('/').filter((name) => name !== '')) {
    const next = yield* fs.lookup(node, encodeName(part));
    if (next === undefined) throw new Posix('ENOENT', { path });
    node = next;
  }
  return node;
}

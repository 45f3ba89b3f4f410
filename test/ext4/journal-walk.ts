/** The tree as this library shows it, in the form in which fixtures/ext4-journal/walk.py recorded what the kernel shows. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { latin1 } from '../../src/bytes/text.ts';
import { type Ext4, mountExt4 } from '../../src/ext4/index.ts';
import type { Ext4Options } from '../../src/ext4/mount.ts';
import type { NodeId, Timestamp } from '../../src/filesystem/filesystem.ts';
import { runSync } from '../../src/io/drivers.ts';
import type { Io } from '../../src/io/effect.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { FIXTURES } from '../support/images.ts';

/** The fixtures whose journals the kernel replayed in full. */
export const REPLAYED = [
  'v3-4k',
  'v3-1k',
  'cut',
  'data-journal',
  'none',
  'ext3',
  'v1',
  'async',
  'wrapped',
  'sequence',
  'debugfs-v3',
  'debugfs-v2',
  'debugfs-v2-32',
  'debugfs-none',
  'orphan-list',
  'orphan-file',
] as const;

export interface WalkEntry {
  readonly path: string;
  readonly ino: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly size: number;
  readonly blocks: number;
  /** Nanoseconds since 1970. */
  readonly mtime: string;
  readonly ctime: string;
  readonly target?: string;
  readonly sha256?: string;
  readonly device?: readonly number[];
}

export interface Golden {
  readonly freeBlocks: number;
  readonly freeInodes: number;
  readonly entries: readonly WalkEntry[];
}

/** The kernel's view of a fixture after its own replay. */
export function golden(name: string): Golden {
  return JSON.parse(gunzipSync(fs.readFileSync(`${FIXTURES}ext4-journal/${name}.json.gz`)).toString()) as Golden;
}

const nanoseconds = (time: Timestamp): string => (BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanoseconds)).toString();

/** Files longer than this are not read by a walk over damaged images. */
const MAX_FILE = 8 << 20;

function* walkNode(fileSystem: Ext4, node: NodeId, path: string, depth: number, entries: WalkEntry[]): Io<void> {
  const stat = yield* fileSystem.stat(node);
  const common = {
    path,
    ino: node,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    links: stat.links,
    size: stat.size,
    blocks: stat.blocks,
    mtime: nanoseconds(stat.mtime),
    ctime: nanoseconds(stat.ctime),
  };
  if (stat.kind === 'symlink') entries.push({ ...common, target: latin1(yield* fileSystem.readlink(node)) });
  else if (stat.kind === 'file') {
    const bytes = new Uint8Array(Math.min(stat.size, MAX_FILE));
    const got = yield* fileSystem.read(node, 0, bytes);
    entries.push({ ...common, sha256: createHash('sha256').update(bytes.subarray(0, got)).digest('hex') });
  } else if (stat.device !== undefined) entries.push({ ...common, device: [stat.device.major, stat.device.minor] });
  else entries.push(common);
  if (stat.kind !== 'directory' || depth > 20) return;
  for (let cursor: number | undefined = 0; cursor !== undefined; ) {
    const part: { entries: readonly { name: Uint8Array; node: NodeId }[]; next?: number } = yield* fileSystem.readDirectory(node, cursor);
    for (const entry of part.entries) {
      const found = yield* fileSystem.lookup(node, entry.name);
      if (found !== entry.node)
        throw new Error(`${path}: ${latin1(entry.name)} is inode ${entry.node} in the listing and ${found} by lookup`);
      yield* walkNode(fileSystem, entry.node, `${path === '/' ? '' : path}/${latin1(entry.name)}`, depth + 1, entries);
    }
    cursor = part.next;
  }
}

/** Every path with its attributes and contents, sorted by bytes. Every name is looked up too. */
export function walk(fileSystem: Ext4): WalkEntry[] {
  const entries: WalkEntry[] = [];
  runSync(walkNode(fileSystem, fileSystem.root, '/', 0, entries));
  return entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** Mounts bytes in memory. */
export function mountBytes(bytes: Uint8Array, options: Ext4Options = {}): Ext4 {
  return runSync(mountExt4(new SourceDevice(new MemorySource(bytes)), options));
}

/** Mounted ISO 9660 images for tests: walks and contents. */
import * as fs from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { decodeName } from '../../src/bytes/text.ts';
import type { NodeId, Stat } from '../../src/filesystem/filesystem.ts';
import { runSync } from '../../src/io/drivers.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { type Iso9660, type Iso9660Options, mountIso9660 } from '../../src/iso9660/index.ts';
import { nodeCodecs } from '../../src/platform/node/codecs.ts';
import { FIXTURES } from '../support/images.ts';

export interface GoldenFile {
  readonly inode: number;
  readonly kind: string;
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly blocks: number;
  readonly mtime: number;
  readonly atime: number;
  readonly ctime: number;
  readonly target?: string;
  readonly md5?: string;
  readonly device?: readonly [number, number];
}

export interface Golden {
  readonly usage: { readonly blockSize: number; readonly blocks: number; readonly freeBlocks: number; readonly maximumNameLength: number };
  readonly blkid: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, GoldenFile>>;
}

/** What the Linux kernel says about the fixtures; names and targets are bytes as Latin-1 text. */
export const GOLDEN: Readonly<Record<string, Golden>> = JSON.parse(
  gunzipSync(fs.readFileSync(`${FIXTURES}iso9660/golden.json.gz`)).toString(),
);

export const inflate: NonNullable<Iso9660Options['inflate']> = (input, target) => nodeCodecs.inflateRaw(input, target);

export function mountBytes(bytes: Uint8Array, options: Iso9660Options = { inflate }): Iso9660 {
  return runSync(mountIso9660(new SourceDevice(new MemorySource(bytes)), options));
}

/** A private copy; no Buffer, whose slices share their bytes. */
export const imageBytes = (name: string): Uint8Array => new Uint8Array(gunzipSync(fs.readFileSync(`${FIXTURES}iso9660/${name}.iso.gz`)));

/** Everything, paths as text of `decodeName`. */
export function walk(iso: Iso9660, directory: NodeId = iso.root, prefix = ''): Map<string, Stat> {
  const found = new Map<string, Stat>();
  if (prefix === '') found.set('/', runSync(iso.stat(iso.root)));
  for (let cursor: number | undefined = 0; cursor !== undefined; ) {
    const part: { readonly entries: readonly { name: Uint8Array; node: NodeId; kind?: string }[]; readonly next?: number } = runSync(
      iso.readDirectory(directory, cursor),
    );
    for (const { name, node, kind } of part.entries) {
      const stat = runSync(iso.stat(node));
      if (kind !== stat.kind) throw new Error(`${decodeName(name)}: the directory says ${kind}, the inode ${stat.kind}`);
      if (runSync(iso.lookup(directory, name)) !== node) throw new Error(`${decodeName(name)} is not found`);
      const path = `${prefix}/${decodeName(name)}`;
      found.set(path, stat);
      if (kind === 'directory') for (const [below, one] of walk(iso, node, path)) found.set(below, one);
    }
    cursor = part.next;
  }
  return found;
}

export function contents(iso: Iso9660, stat: Stat): Uint8Array {
  const target = new Uint8Array(stat.size);
  const got = runSync(iso.read(stat.node, 0, target));
  if (got !== stat.size) throw new Error(`${got} of ${stat.size} bytes`);
  return target;
}

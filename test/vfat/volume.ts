/** A mounted FAT image for tests: paths, walks, contents. */
import * as fs from 'node:fs';
import { decodeName, encodeName } from '../../src/bytes/text.ts';
import type { NodeId, Stat } from '../../src/filesystem/filesystem.ts';
import { runSync } from '../../src/io/drivers.ts';
import type { Io } from '../../src/io/effect.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { mountVfat, type Vfat, type VfatOptions } from '../../src/vfat/vfat.ts';

export interface Synchronous {
  lookup(directory: NodeId, name: Uint8Array): NodeId | undefined;
  stat(node: NodeId): Stat;
  resolve(path: string): NodeId | undefined;
}

export type Volume<V extends Vfat = Vfat> = V & { readonly sync: Synchronous };

/** Adds synchronous forms for tests. */
export function withSync<V extends Vfat>(vfat: V): Volume<V> {
  const sync: Synchronous = {
    lookup: (directory, name) => runSync(vfat.lookup(directory, name)),
    stat: (node) => runSync(vfat.stat(node)),
    resolve: (where) => {
      let node: NodeId | undefined = vfat.root;
      for (const part of where.split('/').filter((each) => each !== '')) {
        if (node === undefined) return undefined;
        node = runSync(vfat.lookup(node, encodeName(part)));
      }
      return node;
    },
  };
  return Object.assign(vfat, { sync });
}

export function mountBytes(bytes: Uint8Array, options?: VfatOptions): Volume {
  return withSync(runSync(mountVfat(new SourceDevice(new MemorySource(bytes)), options)));
}

export function mountFile(file: string, options?: VfatOptions): Volume {
  return mountBytes(fs.readFileSync(file), options);
}

export interface Found {
  readonly path: string;
  readonly stat: Stat;
}

/** Names in a directory, in the order of the disk. */
export function* list(vfat: Vfat, directory: NodeId): Io<{ name: string; node: NodeId }[]> {
  const all: { name: string; node: NodeId }[] = [];
  for (let cursor: number | undefined = 0; cursor !== undefined; ) {
    const part: { entries: readonly { name: Uint8Array; node: NodeId }[]; next?: number } = yield* vfat.readDirectory(directory, cursor);
    for (const entry of part.entries) all.push({ name: decodeName(entry.name), node: entry.node });
    cursor = part.next;
  }
  return all;
}

/** Everything below the root. */
export function walk(vfat: Vfat, directory: NodeId = vfat.root, prefix = ''): Found[] {
  return runSync(list(vfat, directory)).flatMap(({ name, node }) => {
    const stat = runSync(vfat.stat(node));
    const here = { path: `${prefix}/${name}`, stat };
    return stat.kind === 'directory' ? [here, ...walk(vfat, node, here.path)] : [here];
  });
}

export function readFile(vfat: Vfat, stat: Stat): Uint8Array {
  const target = new Uint8Array(stat.size);
  const got = runSync(vfat.read(stat.node, 0, target));
  if (got !== stat.size) throw new Error(`read ${got} of ${stat.size} bytes`);
  return target;
}

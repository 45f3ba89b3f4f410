/** Small trees for tests, the same in memory and in a folder of the host. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { encodeName } from '../../src/bytes/index.ts';
import type { FileSystem, NodeId, WritableFileSystem } from '../../src/filesystem/index.ts';
import { runSync } from '../../src/io/index.ts';

/** One node: a directory, a file with contents, or a symbolic link; parents come before what is in them. */
export type Spec = readonly ['dir', string] | readonly ['file', string, string?] | readonly ['link', string, string];

/** Puts the nodes into a file system; paths are like `a/b`. */
export function build(system: WritableFileSystem, specs: readonly Spec[]): void {
  const known = new Map<string, NodeId>([['', system.root]]);
  for (const [kind, name, content = ''] of specs) {
    const parent = known.get(path.dirname(name) === '.' ? '' : path.dirname(name));
    if (parent === undefined) throw new Error(`no parent for ${name}`);
    const base = encodeName(path.basename(name));
    if (kind === 'dir') known.set(name, runSync(system.mkdir(parent, base, { mode: 0o755 })));
    else if (kind === 'link') runSync(system.symlink(parent, base, encodeName(content)));
    else {
      const node = runSync(system.create(parent, base, { mode: 0o644 }));
      runSync(system.write(node, 0, encodeName(content)));
    }
  }
}

/** The same in a folder of the host. */
export function buildOnHost(folder: string, specs: readonly Spec[]): void {
  for (const [kind, name, content = ''] of specs) {
    const full = path.join(folder, name);
    if (kind === 'dir') fs.mkdirSync(full);
    else if (kind === 'link') fs.symlinkSync(content, full);
    else fs.writeFileSync(full, content);
  }
}

/** A function that counts calls of the methods of a file system. */
export function counting<T extends FileSystem>(system: T, calls: Map<string, number>): T {
  return new Proxy(system, {
    get(target, key) {
      const value = Reflect.get(target, key, target) as unknown;
      if (typeof value !== 'function') return value;
      return (...parameters: unknown[]): unknown => {
        calls.set(String(key), (calls.get(String(key)) ?? 0) + 1);
        return (value as (...p: unknown[]) => unknown).apply(target, parameters);
      };
    },
  });
}

/** `copy-out`: files and directories of the guest into a folder of the host. */
import { decodeName } from '../bytes/text.ts';
import type { CopyOutOptions, CopyStep } from '../guest/copy-out.ts';
import { planCopyOut } from '../guest/copy-out.ts';
import { forEachChunk } from '../guest/file-data.ts';
import type { GuestTree } from '../guest/tree.ts';
import type { Io } from '../io/effect.ts';
import { Damage } from './damage.ts';
import type { Run } from './declaration.ts';
import type { Host, HostAttributes, HostFolder } from './host.ts';
import { openTree } from './open.ts';

const BUFFER = 1 << 20;

export const copyOut: Run = function* (invocation, host): Io<number> {
  const tree = yield* openTree(invocation, host);
  const damage = new Damage(host);
  const options = { devices: invocation.has('--devices'), setId: invocation.has('--set-id'), onError: damage.onError };
  yield* copyGuestFiles(tree, host, invocation.arguments('PATH'), invocation.argument('DIR'), options);
  return damage.status;
};

/** Copies files and directories of a guest into a folder of the host that exists; the paths are looked up before anything is written. */
export function* copyGuestFiles(
  tree: GuestTree,
  host: Host,
  paths: readonly string[],
  into: string,
  options: Omit<CopyOutOptions, 'followStart'> = {},
): Io<void> {
  for (const path of paths) yield* tree.resolve(path);
  const folder = yield* host.openFolder(into);
  const buffer = new Uint8Array(BUFFER);
  try {
    for (const path of paths) {
      const plan = yield* planCopyOut(tree, path, { ...options, followStart: true });
      for (let step = yield* plan.next(); step !== undefined; step = yield* plan.next()) yield* make(step, folder, host, buffer);
    }
  } finally {
    folder.close();
  }
}

function* make(step: CopyStep, folder: HostFolder, host: Host, buffer: Uint8Array): Io<void> {
  const { path, entry, permissions } = step;
  const { uid, gid, mtime } = entry.stat;
  const attributes: HostAttributes = { mode: permissions, uid, gid, mtime };
  switch (step.make) {
    case 'directory':
      if (path.length > 0) folder.makeDirectory(path);
      return;
    case 'directory-end':
      if (path.length > 0) folder.finishDirectory(path, attributes);
      return;
    case 'link':
      folder.makeLink(path, step.to);
      return;
    case 'symlink':
      folder.makeSymlink(path, step.target, attributes);
      return;
    case 'device':
      folder.makeNode(path, entry.stat);
      return;
    case 'nothing':
      host.warn(`${decodeName(entry.path)}: ${step.reason}; left out`);
      return;
    case 'file': {
      const file = folder.createFile(path);
      try {
        yield* forEachChunk(step.file, { buffer, skipHoles: true }, (chunk, offset) => {
          file.write(offset, chunk);
          host.progress(offset + chunk.length, step.file.size);
          return undefined;
        });
        file.finish(step.file.size, attributes);
      } finally {
        file.close();
      }
    }
  }
}

/** `stat`: the attributes of files. */
import { decodeName, encodeName } from '../bytes/text.ts';
import type { Io } from '../io/effect.ts';
import { readAccounts } from './accounts.ts';
import type { Run } from './declaration.ts';
import { isoTime, KIND_LETTER, octal, permissions, statRecord } from './file-text.ts';
import { openTree } from './open.ts';
import { Printer } from './output.ts';

export const stat: Run = function* (invocation, host, output): Io<number> {
  const tree = yield* openTree(invocation, host);
  const printer = new Printer(output);
  const paths = invocation.arguments('PATH');
  const records: unknown[] = [];
  const accounts = output.json ? undefined : yield* readAccounts(tree);
  for (const path of paths) {
    const place = yield* tree.resolve(path, { followLast: invocation.has('--dereference') });
    const { stat: found, mount } = place;
    const target = found.kind === 'symlink' ? yield* mount.fileSystem.readlink(place.node) : undefined;
    if (output.json) {
      const attributes = yield* mount.fileSystem.xattrs(place.node);
      records.push({
        ...statRecord(encodeName(path), found, target),
        fileSystem: { type: mount.fileSystem.type, device: mount.device },
        xattrs: attributes.map(({ name, value }) => ({ name: decodeName(name), value: hexadecimal(value) })),
      });
      continue;
    }
    printer.text('  File: ').name(encodeName(path));
    if (target !== undefined) printer.text(' -> ').name(target);
    const user = accounts?.users.get(found.uid) ?? '?';
    const group = accounts?.groups.get(found.gid) ?? '?';
    const device = found.device === undefined ? '' : `  Device: ${found.device.major},${found.device.minor}`;
    const lines = [
      '',
      `  Size: ${found.size}  Blocks: ${found.blocks}  IO Block: ${found.blockSize}  Type: ${found.kind}${device}`,
      ` Inode: ${found.node}  Links: ${found.links}  On: ${mount.device} (${mount.fileSystem.type})`,
      `  Mode: ${octal(found.mode)}/${KIND_LETTER[found.kind]}${permissions(found.mode)}  Uid: ${found.uid}/${user}  Gid: ${found.gid}/${group}`,
      `Access: ${isoTime(found.atime)}`,
      `Modify: ${isoTime(found.mtime)}`,
      `Change: ${isoTime(found.ctime)}`,
      ` Birth: ${found.btime === undefined ? '-' : isoTime(found.btime)}`,
    ];
    printer.text(lines.join('\n'));
    yield* printer.line();
  }
  if (output.json) {
    printer.text(JSON.stringify(records.length === 1 ? records[0] : records, null, 2));
    yield* printer.line();
  }
  yield* printer.flush();
  return 0;
};

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** `filesystems`: one line for each device and what it holds. */
import { decodeName } from '../bytes/text.ts';
import type { FileSystemInfo } from '../guest/disk.ts';
import type { Io } from '../io/effect.ts';
import type { Run } from './declaration.ts';
import { openImageDisk } from './open.ts';
import { JsonLines, Printer } from './output.ts';

/** What programs get of a file system. */
export function filesystemRecord(info: FileSystemInfo): Record<string, unknown> {
  const { partition, usage, error } = info;
  return {
    device: info.device,
    type: info.type,
    content: info.content ?? null,
    label: decodeName(info.label),
    uuid: info.uuid ?? null,
    size: info.size,
    version: info.version ?? null,
    partition:
      partition === undefined
        ? null
        : {
            number: partition.number,
            start: partition.start,
            type: partition.type,
            typeName: partition.typeName ?? null,
            uuid: partition.uuid ?? null,
            name: partition.name ?? null,
            bootable: partition.bootable,
          },
    usage: usage === undefined ? null : usage,
    warnings: info.warnings.map((warning) => warning.message),
    error: error === undefined ? null : { family: error.family, code: error.code, message: error.message },
  };
}

export const filesystems: Run = function* (invocation, host, output): Io<number> {
  const { disk } = yield* openImageDisk(invocation, host);
  const found = yield* disk.filesystems();
  if (output.json) {
    const lines = new JsonLines(output);
    for (const info of found) yield* lines.add(filesystemRecord(info));
    yield* lines.end();
    return 0;
  }
  const printer = new Printer(output);
  for (const { device, type, label, uuid, size, error, warnings } of found) {
    printer.text(`${device}\t${type}\t`);
    if (label.length === 0) printer.text('-');
    else printer.name(label);
    printer.text(`\t${uuid ?? '-'}\t${size}`);
    yield* printer.line();
    if (error !== undefined && error.family !== 'unsupported') host.warn(`${device}: ${error.message}`);
    for (const warning of warnings) host.warn(`${device}: ${warning.message}`);
  }
  yield* printer.flush();
  return 0;
};

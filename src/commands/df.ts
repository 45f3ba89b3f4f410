/** `df`: how full the file systems are, in the columns of virt-df. */
import type { FileSystemInfo } from '../guest/disk.ts';
import type { Io } from '../io/effect.ts';
import type { Run } from './declaration.ts';
import { humanSize } from './file-text.ts';
import { openImageDisk } from './open.ts';
import { JsonLines, Printer } from './output.ts';

/** Width of the column of names. */
const NAME_WIDTH = 36;

export const df: Run = function* (invocation, host, output): Io<number> {
  const { disk } = yield* openImageDisk(invocation, host);
  const inodes = invocation.has('--inodes');
  const human = invocation.has('--human-readable');
  const found = yield* disk.filesystems();
  const image = invocation.argument('IMAGE');
  const name = image.slice(image.lastIndexOf('/') + 1);
  if (output.json) {
    const lines = new JsonLines(output);
    for (const { device, type, usage } of found) if (usage !== undefined) yield* lines.add({ device, type, ...usage });
    yield* lines.end();
    return 0;
  }
  const printer = new Printer(output);
  const size = human ? 'Size' : '1K-blocks';
  printer.text(row('Filesystem', inodes ? ['Inodes', 'IUsed', 'IFree', 'IUse%'] : [size, 'Used', 'Available', 'Use%']));
  yield* printer.line();
  for (const info of found) {
    if (info.usage === undefined) {
      if (info.error !== undefined) host.warn(`${info.device}: ${info.error.message}`);
      continue;
    }
    const title = `${name}:${info.device}`;
    if (title.length > NAME_WIDTH) printer.text(`${title}\n`);
    printer.text(row(title.length > NAME_WIDTH ? '' : title, inodes ? inodeCells(info.usage) : blockCells(info.usage, human)));
    yield* printer.line();
  }
  yield* printer.flush();
  return 0;
};

function row(title: string, cells: readonly string[]): string {
  const [a = '', b = '', c = '', d = ''] = cells;
  return `${title.padEnd(NAME_WIDTH)}${a.padStart(10)} ${b.padStart(10)} ${c.padStart(10)} ${d.padStart(5)}`;
}

type Usage = NonNullable<FileSystemInfo['usage']>;

/** Rounded up, as df(1) does. */
function percent(free: number, all: number): string {
  return `${String(all === 0 ? 0 : Math.ceil(100 - (100 * free) / all)).padStart(3)}%`;
}

function blockCells({ blocks, freeBlocks, availableBlocks, blockSize }: Usage, human: boolean): string[] {
  const cell = (count: number): string => (human ? humanSize(count * blockSize) : String(Math.floor((count * blockSize) / 1024)));
  return [cell(blocks), cell(blocks - freeBlocks), cell(availableBlocks), percent(freeBlocks, blocks)];
}

function inodeCells({ inodes, freeInodes }: Usage): string[] {
  return [String(inodes), String(inodes - freeInodes), String(freeInodes), percent(freeInodes, inodes)];
}

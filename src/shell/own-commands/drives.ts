/** New image files of the host, added as drives. */
import { ShellError } from '../error.ts';
import { parseInt64 } from '../number.ts';
import type { OwnCommand } from '../session.ts';

function making(names: readonly string[], allocated: boolean, summary: string): OwnCommand {
  return {
    names,
    usage: 'FILE SIZE',
    summary,
    *run(session, words, name) {
      const [file, given] = words;
      if (file === undefined || given === undefined || words.length !== 2) throw new ShellError(`${name} takes FILE SIZE`);
      const size = Number(parseInt64(given, 'size'));
      if (!(size >= 0 && Number.isSafeInteger(size))) throw new ShellError(`${name}: ${given} is no size of an image`);
      yield* session.host.createDisk(file, size, allocated);
      yield* session.addDrive({ name: file, readOnly: false, format: 'raw' });
    },
  };
}

export const driveCommands: readonly OwnCommand[] = [
  making(['alloc', 'allocate'], true, 'makes an image of zeros with its space allocated, and adds it'),
  making(['sparse'], false, 'makes an image of zeros that takes space as it is written, and adds it'),
];

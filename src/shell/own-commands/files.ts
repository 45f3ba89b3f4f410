/** Files and folders between host and guest. */

import { copyHostFile, type FirstNames } from '../../commands/copy-in.ts';
import { copyGuestFiles } from '../../commands/copy-out.ts';
import { ShellError } from '../error.ts';
import type { OwnCommand } from '../session.ts';

export const fileCommands: readonly OwnCommand[] = [
  {
    names: ['copy-in'],
    usage: 'LOCAL [LOCAL ...] DIRECTORY',
    summary: 'copies files and folders of the host into a directory of the guest',
    *run(session, words) {
      const directory = words.at(-1);
      if (directory === undefined || words.length < 2) throw new ShellError('copy-in takes LOCAL [LOCAL ...] DIRECTORY');
      const { tree } = session.mounted('copy_in');
      const into = yield* session.guestPath(directory);
      yield* tree.directory(into);
      yield* tree.transaction(function* () {
        const names: FirstNames = new Map();
        for (const local of words.slice(0, -1)) yield* copyHostFile(tree, session.host.files, local, into, names);
      });
    },
  },
  {
    names: ['copy-out'],
    usage: 'PATH [PATH ...] FOLDER',
    summary: 'copies files and directories of the guest into a folder of the host',
    *run(session, words) {
      const folder = words.at(-1);
      if (folder === undefined || words.length < 2) throw new ShellError('copy-out takes PATH [PATH ...] FOLDER');
      const { tree } = session.mounted('copy_out');
      const paths: string[] = [];
      for (const path of words.slice(0, -1)) paths.push(yield* session.guestPath(path));
      yield* copyGuestFiles(tree, session.host.files, paths, folder);
    },
  },
];

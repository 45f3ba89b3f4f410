/** The host's file system as gates ask for it: names made real, and files opened for reading. */
import * as fs from 'node:fs';
import { decodeName } from '../../bytes/text.ts';
import { FileSource, hostPath, posixError } from './file.ts';

export const hostFiles: { resolve(name: string): string; open(name: string): FileSource } = {
  /** The name with all symbolic links resolved. Throws Posix. */
  resolve(name) {
    try {
      return decodeName(fs.realpathSync.native(hostPath(name), 'buffer'));
    } catch (error) {
      throw posixError(error, name);
    }
  },
  open: (name) => FileSource.open(name),
};

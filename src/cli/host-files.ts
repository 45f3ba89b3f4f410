/** Files of the host that go into a guest. */
import * as fs from 'node:fs';
import { decodeName } from '../bytes/text.ts';
import type { HostStat } from '../commands/host.ts';
import { posixError } from '../platform/node/file.ts';
import { hostPath } from './words.ts';

const BILLION = 1_000_000_000n;

/** lstat(2), and the text of a symbolic link. */
export function hostStat(name: string): HostStat {
  try {
    const stat = fs.lstatSync(hostPath(name), { bigint: true });
    const link = stat.isSymbolicLink();
    const seconds = stat.mtimeNs / BILLION - (stat.mtimeNs % BILLION < 0n ? 1n : 0n);
    return {
      kind: stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : link ? 'symlink' : 'other',
      mode: Number(stat.mode) & 0o7777,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      mtime: { seconds: Number(seconds), nanoseconds: Number(stat.mtimeNs - seconds * BILLION) },
      ...(link ? { target: decodeName(fs.readlinkSync(hostPath(name), 'buffer')) } : {}),
    };
  } catch (error) {
    throw posixError(error, name);
  }
}

/** The names in a folder, losslessly, sorted. */
export function hostNames(name: string): readonly string[] {
  try {
    return fs
      .readdirSync(hostPath(name), 'buffer')
      .sort(Buffer.compare)
      .map((one) => decodeName(one));
  } catch (error) {
    throw posixError(error, name);
  }
}

/** The host's side of a commit: the journal file beside the image, who else uses it, and whether it changed. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeName } from '../../bytes/text.ts';
import { Posix, Refused } from '../../errors.ts';
import type { CommitHost } from '../../io/commit-host.ts';
import type { WritableSource } from '../../io/source.ts';
import { FileSource, hostPath, posixError } from './file.ts';

/** What is appended to an image's name to name its journal. */
export const JOURNAL_SUFFIX = '.guestless-journal';

/**
 * The host for committing into the image at `name`; symbolic links are followed, so that one image has one journal. `locked`: this process holds
 * qemu's locks on the image, so that nobody else can. Throws Posix (ENOENT).
 */
export function commitHost(name: string, options: { readonly locked?: boolean } = {}): CommitHost {
  let image: string;
  try {
    image = decodeName(fs.realpathSync.native(hostPath(name), 'buffer'));
  } catch (error) {
    throw posixError(error, name);
  }
  const journal = image + JOURNAL_SUFFIX;
  const attempt = <T>(what: string, step: () => T): T => {
    try {
      return step();
    } catch (error) {
      throw posixError(error, what);
    }
  };
  const stat = (): fs.BigIntStats => attempt(image, () => fs.statSync(hostPath(image), { bigint: true }));
  return {
    name,
    journalName: journal,
    identity: () => `${stat().dev}:${stat().ino}`,
    stamp() {
      const { dev, ino, size, mtimeNs } = stat();
      return `${dev}:${ino}:${size}:${mtimeNs}`;
    },
    crc32: (bytes) => process.getBuiltinModule('node:zlib').crc32(bytes),
    user: () => (options.locked === true ? undefined : qemuLock(stat(), QEMU_LOCKS)),
    writer: () => (options.locked === true ? undefined : qemuLock(stat(), QEMU_WRITES)),
    openImage: () => FileSource.open(image, { writable: true }),
    createJournal(): WritableSource {
      const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
      return FileSource.adopt(
        journal,
        attempt(journal, () => fs.openSync(hostPath(journal), O_RDWR | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), 0o600)),
        true,
      );
    },
    openJournal(): WritableSource | undefined {
      try {
        if (!fs.lstatSync(hostPath(journal)).isFile()) throw new Refused(`${journal} is no regular file; remove it`, { image: name });
        return FileSource.open(journal);
      } catch (error) {
        const known = posixError(error, journal);
        if (known instanceof Posix && known.code === 'ENOENT') return undefined;
        throw known;
      }
    },
    removeJournal: () => attempt(journal, () => fs.unlinkSync(hostPath(journal))),
    syncFolder() {
      if (process.platform === 'win32') return;
      attempt(journal, () => {
        const folder = fs.openSync(hostPath(path.dirname(journal)), fs.constants.O_RDONLY);
        try {
          fs.fsyncSync(folder);
        } finally {
          fs.closeSync(folder);
        }
      });
    },
  };
}

/** qemu holds locks on the bytes from 100 on (what it does) and from 200 on (what it lets nobody else do): block/file-posix.c. */
const QEMU_LOCKS = { from: 100n, to: 299n } as const;
/** The byte that says "writes": 100 + 1, BLK_PERM_WRITE being bit 1. */
const QEMU_WRITES = { from: 101n, to: 101n } as const;

/**
 * Who has a byte of this range locked as qemu does, as far as /proc/locks tells; undefined elsewhere than on Linux. Node.js has no fcntl, so we can
 * see locks but take none: a qemu that starts during a commit is not kept out.
 */
function qemuLock(stat: fs.BigIntStats, range: { readonly from: bigint; readonly to: bigint }): string | undefined {
  let table: string;
  try {
    table = fs.readFileSync('/proc/locks', 'latin1');
  } catch {
    return undefined;
  }
  const inode = stat.ino.toString();
  for (const line of table.split('\n')) {
    // 12: OFDLCK  ADVISORY  READ -1 fd:00:1234 100 101
    const match = /^\d+: (?:-> )?(OFDLCK|POSIX)\s+\S+\s+(\S+)\s+(-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) (\d+) (\d+|EOF)$/.exec(line.trim());
    if (match === null) continue;
    const [, kind = '', mode = '', holder = '', major = '', minor = '', lockedInode, first = '0', last = 'EOF'] = match;
    if (lockedInode !== inode || Number(holder) === process.pid || !sameDevice(stat.dev, major, minor)) continue;
    if (BigInt(first) > range.to || (last !== 'EOF' && BigInt(last) < range.from)) continue;
    const who = Number(holder) > 0 ? `process ${holder}` : 'a process';
    return `${who} holds a ${mode === 'WRITE' ? 'write' : 'read'} lock of qemu's kind (${kind}, bytes ${first} to ${last})`;
  }
  return undefined;
}

/** Whether a device number of stat(2) is `major:minor` in hexadecimal. Where the file system shows other numbers (btrfs), the inode decides. */
function sameDevice(device: bigint, major: string, minor: string): boolean {
  const deviceMajor = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const deviceMinor = (device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffffn);
  if (deviceMajor === 0n) return true;
  return BigInt(`0x${major}`) === deviceMajor && BigInt(`0x${minor}`) === deviceMinor;
}

/** Whether a journal stands beside an image: a commit goes on, or was interrupted. */
export function hasJournal(name: string): boolean {
  try {
    return fs.existsSync(hostPath(decodeName(fs.realpathSync.native(hostPath(name), 'buffer')) + JOURNAL_SUFFIX));
  } catch {
    return false;
  }
}

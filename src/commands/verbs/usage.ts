/** Verbs about space: du(1), df(1), statvfs(2). */
import { decodeName } from '../../bytes/index.ts';
import type { Mount } from '../../guest/mounts.ts';
import { NodeMap } from '../../guest/node-map.ts';
import { usageRow } from '../../guest/usage.ts';
import { walk } from '../../guest/walk.ts';
import type { Io } from '../../io/effect.ts';
import type { Handle } from './handle.ts';
import { SYSROOT } from './long-list.ts';
import type { Verbs } from './verb.ts';

/** The bits of `f_flag`, statvfs(3). */
const ST_RDONLY = 1;
const ST_RELATIME = 4096;

/** Bytes as df -h and du -h print them: powers of 1024, rounded up, one digit behind the point below ten. */
function humanSize(bytes: number): string {
  if (bytes < 1024) return bytes === 0 ? '0' : String(bytes);
  let scaled = bytes;
  let power = 0;
  while (scaled >= 1024) {
    scaled /= 1024;
    power++;
  }
  let text = scaled < 10 ? (Math.ceil(scaled * 10) / 10).toFixed(1) : String(Math.ceil(scaled));
  if (text === '10.0') text = '10';
  if (text === '1024') {
    text = '1.0';
    power++;
  }
  return text + ' KMGTPE'.charAt(power);
}

/** The table of df(1) over what is mounted. */
function* diskFree(handle: Handle, human: boolean): Io<string> {
  handle.requireMount();
  const size = (bytes: number): string => (human ? humanSize(bytes) : String(Math.ceil(bytes / 1024)));
  const rows = [['Filesystem', human ? 'Size' : '1K-blocks', 'Used', human ? 'Avail' : 'Available', 'Use%', 'Mounted on']];
  for (const mount of handle.mounts) {
    const { size: total, used, available, percent } = usageRow(yield* mount.fileSystem.usage());
    const at = decodeName(mount.at);
    rows.push([
      mount.device,
      size(total),
      size(used),
      size(available),
      percent === undefined ? '-' : `${percent}%`,
      SYSROOT + (at === '/' ? '' : at),
    ]);
  }
  const least = [14, 5, 5, 5, 4, 0];
  const widths = least.map((width, i) => Math.max(width, ...rows.map((row) => (row[i] ?? '').length)));
  return rows
    .map((row) => {
      const cells = row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : i === 5 ? cell : cell.padStart(widths[i] ?? 0)));
      return `${cells.join(' ')}\n`;
    })
    .join('');
}

/** The space that a file, or a directory with all below it, takes, in KiB; a file with several names counts once. */
function* diskUsage({ tree }: Handle, path: string): Io<number> {
  const seen = new NodeMap<Mount, true>();
  let blocks = 0;
  const walker = yield* walk(tree, path);
  for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
    const { stat, mount, node } = entry;
    if (stat.links > 1 && entry.kind !== 'directory') {
      if (seen.get(mount, node) !== undefined) continue;
      seen.set(mount, node, true);
    }
    blocks += stat.blocks;
  }
  return Math.ceil(blocks / 2);
}

/** `f_fsid` as Linux makes it of a UUID (uuid_to_fsid of linux/statfs.h), in the order of glibc; of a shorter serial number the number itself. */
function identifierOf(uuid: string | undefined): bigint {
  const digits = (uuid ?? '').replace(/[^0-9A-Fa-f]/g, '');
  if (digits.length !== 32) return BigInt(`0x${digits || '0'}`);
  const half = (at: number): bigint => BigInt(`0x${(digits.slice(at, at + 16).match(/../g) ?? []).reverse().join('')}`);
  return half(0) ^ half(16);
}

export const usageVerbs: Verbs = {
  du: {
    summary: 'gives the space that a file or tree takes, in KiB',
    *run(handle, { path }) {
      return yield* diskUsage(handle, path);
    },
  },
  df: {
    summary: 'shows how full the mounted file systems are',
    *run(handle) {
      return yield* diskFree(handle, false);
    },
  },
  df_h: {
    summary: 'shows how full the mounted file systems are, in sizes for people',
    *run(handle) {
      return yield* diskFree(handle, true);
    },
  },
  statvfs: {
    summary: 'tells about the space of a file system',
    *run({ tree }, { path }) {
      const { mount } = yield* tree.resolve(path);
      const usage = yield* mount.fileSystem.usage();
      return {
        bsize: usage.blockSize,
        frsize: usage.blockSize,
        blocks: usage.blocks,
        bfree: usage.freeBlocks,
        bavail: usage.availableBlocks,
        files: usage.inodes,
        ffree: usage.freeInodes,
        favail: usage.freeInodes,
        fsid: identifierOf(mount.fileSystem.uuid),
        flag: ST_RELATIME | (mount.readOnly ? ST_RDONLY : 0),
        namemax: usage.maximumNameLength,
      };
    },
  },
};

/** How full file systems are: the rows of df(1). */
import type { Usage } from '../filesystem/filesystem.ts';

/** One row; sizes are in bytes. */
export interface UsageRow {
  readonly size: number;
  readonly used: number;
  /** Free for users other than root. */
  readonly available: number;
  /** Part in use of what can be used by others than root, in per cent, rounded up as df(1) does; undefined for an empty file system. */
  readonly percent: number | undefined;
  readonly inodes: number;
  readonly usedInodes: number;
  readonly freeInodes: number;
  /** Undefined where the file system has no inodes to count. */
  readonly inodePercent: number | undefined;
}

/** The figures of df(1) for a file system. */
export function usageRow(usage: Usage): UsageRow {
  const { blockSize } = usage;
  const used = (usage.blocks - usage.freeBlocks) * blockSize;
  const available = usage.availableBlocks * blockSize;
  const usedInodes = usage.inodes - usage.freeInodes;
  return {
    size: usage.blocks * blockSize,
    used,
    available,
    percent: percent(used, used + available),
    inodes: usage.inodes,
    usedInodes,
    freeInodes: usage.freeInodes,
    inodePercent: percent(usedInodes, usage.inodes),
  };
}

function percent(part: number, whole: number): number | undefined {
  return whole > 0 ? Math.ceil((100 * part) / whole) : undefined;
}

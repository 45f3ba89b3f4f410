/** What mke2fs does when nobody says otherwise: the tables of Debian's /etc/mke2fs.conf (e2fsprogs 1.47.0), and the size classes. */

interface Profile {
  readonly features?: string;
  /** In bytes; negative: the size of a memory page. */
  readonly blockSize?: number;
  readonly inodeSize?: number;
  /** Bytes per inode. */
  readonly inodeRatio?: number;
}

export const BASE_FEATURES = 'sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr';
/** Memory pages of the machines that this is compared with. */
export const PAGE_SIZE = 4096;

const DEFAULTS: Required<Profile> = { features: '', blockSize: 4096, inodeSize: 256, inodeRatio: 16384 };

const TYPES: Readonly<Record<string, Profile>> = {
  ext2: {},
  ext3: { features: 'has_journal' },
  ext4: { features: 'has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize' },
  default: {},
  small: { blockSize: 1024, inodeRatio: 4096 },
  floppy: { blockSize: 1024, inodeRatio: 8192 },
  big: { inodeRatio: 32768 },
  huge: { inodeRatio: 65536 },
  news: { inodeRatio: 4096 },
  largefile: { inodeRatio: 1048576, blockSize: -1 },
  largefile4: { inodeRatio: 4194304, blockSize: -1 },
  hurd: { blockSize: 4096, inodeSize: 128 },
};

const MIB = 2 ** 20;

/** The class that a file system of `bytes` belongs to (parse_fs_type in mke2fs). */
export function sizeClass(bytes: number): string {
  if (bytes < 3 * MIB) return 'floppy';
  if (bytes < 512 * MIB) return 'small';
  if (bytes < 2 ** 22 * MIB) return 'default';
  return bytes < 2 ** 24 * MIB ? 'big' : 'huge';
}

/** The defaults for a type and its usage types, a list such as `news,largefile`; without them the class of the size decides. */
export function profileFor(type: string, usageTypes: string | undefined, bytes: number): Required<Profile> {
  const names = [type, ...(usageTypes === undefined ? [sizeClass(bytes)] : usageTypes.split(','))];
  const result: { -readonly [K in keyof Required<Profile>]: Required<Profile>[K] } = { ...DEFAULTS };
  const features: string[] = [];
  for (const name of names) {
    const profile = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
    // mke2fs warns of a usage type that it does not know, and goes on.
    if (profile === undefined) continue;
    if (profile.features !== undefined) features.push(profile.features);
    if (profile.blockSize !== undefined) result.blockSize = profile.blockSize;
    if (profile.inodeSize !== undefined) result.inodeSize = profile.inodeSize;
    if (profile.inodeRatio !== undefined) result.inodeRatio = profile.inodeRatio;
  }
  if (result.blockSize < 0) result.blockSize = PAGE_SIZE;
  return { ...result, features: features.join(',') };
}

/** Blocks of the journal of a file system of `blocks` blocks (ext2fs_default_journal_size); undefined: it is too small for one. */
export function defaultJournalBlocks(blocks: number): number | undefined {
  const table: readonly (readonly [number, number])[] = [
    [32768, 1024],
    [262144, 4096],
    [524288, 8192],
    [4194304, 16384],
    [8388608, 32768],
    [16777216, 65536],
    [33554432, 131072],
  ];
  if (blocks < 2048) return undefined;
  return table.find(([below]) => blocks < below)?.[1] ?? 262144;
}

/** The features of a new file system: names as mke2fs takes them, and what this library can make. */
import { Posix, Unsupported } from '../../errors.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../format/index.ts';

/** The three words of the superblock. */
export interface FeatureWords {
  compat: number;
  incompat: number;
  roCompat: number;
}

type Word = keyof FeatureWords;

const TABLES: readonly { readonly word: Word; readonly names: Readonly<Record<string, number>> }[] = [
  { word: 'compat', names: COMPAT },
  { word: 'incompat', names: { ...INCOMPAT, extent: INCOMPAT.extents } },
  { word: 'roCompat', names: { ...RO_COMPAT, uninit_groups: RO_COMPAT.uninit_bg, gdt_csum: RO_COMPAT.uninit_bg } },
];

/** What can be set when a file system is made (`ok_features` of mke2fs), less what this library does not make. */
const MAKEABLE: FeatureWords = {
  compat: COMPAT.has_journal | COMPAT.ext_attr | COMPAT.resize_inode | COMPAT.dir_index | COMPAT.sparse_super2 | COMPAT.stable_inodes,
  incompat:
    INCOMPAT.filetype |
    INCOMPAT.journal_dev |
    INCOMPAT.meta_bg |
    INCOMPAT.extents |
    INCOMPAT['64bit'] |
    INCOMPAT.flex_bg |
    INCOMPAT.ea_inode |
    INCOMPAT.metadata_csum_seed |
    INCOMPAT.large_dir |
    INCOMPAT.inline_data |
    INCOMPAT.encrypt,
  roCompat:
    RO_COMPAT.sparse_super |
    RO_COMPAT.large_file |
    RO_COMPAT.huge_file |
    RO_COMPAT.uninit_bg |
    RO_COMPAT.dir_nlink |
    RO_COMPAT.extra_isize |
    RO_COMPAT.metadata_csum |
    RO_COMPAT.verity,
};

/** What mke2fs makes and this library does not, by name. */
const ELSEWHERE: ReadonlySet<string> = new Set(['bigalloc', 'quota', 'project', 'mmp', 'casefold', 'fast_commit', 'orphan_file']);

function find(name: string): { readonly word: Word; readonly bit: number } | undefined {
  for (const { word, names } of TABLES) {
    if (Object.hasOwn(names, name)) return { word, bit: names[name]! };
  }
  return undefined;
}

/**
 * Changes feature words by a list such as `has_journal,^64bit`: a `^` or `-` before a name clears it, `none` clears all. Throws Posix
 * (EINVAL) for a name that mke2fs does not know, Unsupported for one that this library cannot make.
 */
export function editFeatures(words: FeatureWords, list: string): void {
  for (const token of list.split(/[ ,]+/)) {
    if (token === '') continue;
    if (token === 'none') {
      words.compat = words.incompat = words.roCompat = 0;
      continue;
    }
    const clears = token.startsWith('^') || token.startsWith('-');
    const name = clears || token.startsWith('+') ? token.slice(1) : token;
    const found = find(name);
    if (found === undefined) throw new Posix('EINVAL', { layer: 'ext4' }, `invalid filesystem option set: ${list}`);
    if (clears) words[found.word] = (words[found.word] & ~found.bit) >>> 0;
    else {
      if (ELSEWHERE.has(name)) throw new Unsupported(name, `making a file system with ${name} is not supported`, { layer: 'ext4' });
      if ((MAKEABLE[found.word] & found.bit) === 0) {
        throw new Posix('EINVAL', { layer: 'ext4' }, `invalid filesystem option set: ${list}`);
      }
      words[found.word] |= found.bit;
    }
  }
}

/** Throws Posix (EINVAL) for combinations that mke2fs refuses, and drops what others imply. */
export function settleFeatures(words: FeatureWords): void {
  const refuse = (message: string): never => {
    throw new Posix('EINVAL', { layer: 'ext4' }, message);
  };
  if ((words.roCompat & RO_COMPAT.metadata_csum) !== 0) words.roCompat &= ~RO_COMPAT.uninit_bg;
  const resize = (words.compat & COMPAT.resize_inode) !== 0;
  if (resize && (words.incompat & INCOMPAT.meta_bg) !== 0) refuse('the resize_inode and meta_bg features are not compatible');
  if (resize && (words.roCompat & RO_COMPAT.sparse_super) === 0 && (words.compat & COMPAT.sparse_super2) === 0) {
    refuse('reserved online resize blocks are not supported on a non-sparse filesystem');
  }
  if ((words.incompat & INCOMPAT.metadata_csum_seed) !== 0 && (words.roCompat & RO_COMPAT.metadata_csum) === 0) {
    refuse('the metadata_csum_seed feature requires the metadata_csum feature');
  }
}

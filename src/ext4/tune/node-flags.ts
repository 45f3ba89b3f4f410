/** Flags and generation of inodes, as chattr(1) and lsattr(1) show and change them. */
import { Posix } from '../../errors.ts';
import type { NodeId } from '../../filesystem/filesystem.ts';
import type { Io } from '../../io/effect.ts';
import { readNode } from '../inode-table.ts';
import type { WritableExt4 } from '../write/writable-ext4.ts';

/** EXT4_FL_USER_VISIBLE and EXT4_FL_USER_MODIFIABLE (fs/ext4/ext4.h). */
export const EXT4_FL_USER_VISIBLE = 0x725bdfff;
export const EXT4_FL_USER_MODIFIABLE = 0x604bc0ff;
/** Flags that only directories have (EXT4_REG_FLMASK), and those that all else but files and directories has (EXT4_OTHER_FLMASK). */
const DIRECTORY_ONLY = 0x10000 | 0x20000 | 0x40000000 | 0x20000000;
const ANY_KIND = 0x40 | 0x80;

/** Letters of lsattr(1) and what they stand for. */
export const FLAG_LETTERS: Readonly<Record<string, number>> = {
  s: 0x1,
  u: 0x2,
  c: 0x4,
  S: 0x8,
  i: 0x10,
  a: 0x20,
  d: 0x40,
  A: 0x80,
  m: 0x400,
  E: 0x800,
  I: 0x1000,
  j: 0x4000,
  t: 0x8000,
  D: 0x10000,
  T: 0x20000,
  e: 0x80000,
  V: 0x100000,
  C: 0x800000,
  x: 0x2000000,
  N: 0x10000000,
  P: 0x20000000,
  F: 0x40000000,
};

/**
 * Sets and clears flags of a file or directory; what the kernel does not let users change stays (ext4_ioctl_setflags). Throws Posix:
 * EOPNOTSUPP for other kinds of nodes, or for changing how a file is mapped.
 */
export function* changeFlags(ext4: WritableExt4, node: NodeId, set: number, clear: number): Io<void> {
  const { volume } = ext4;
  yield* ext4.transaction(function* () {
    const inode = yield* readNode(volume, node);
    if (inode.kind !== 'file' && inode.kind !== 'directory') throw new Posix('EOPNOTSUPP', { layer: 'ext4', inode: node });
    const mask =
      inode.kind === 'directory' ? EXT4_FL_USER_MODIFIABLE : inode.kind === 'file' ? EXT4_FL_USER_MODIFIABLE & ~DIRECTORY_ONLY : ANY_KIND;
    const wanted = ((inode.flags | set) & ~clear) >>> 0;
    const flags = ((inode.flags & ~mask) | (wanted & mask)) >>> 0;
    const structural = FLAG_LETTERS['e']! | FLAG_LETTERS['F']!;
    if (((flags ^ inode.flags) & structural) !== 0) {
      throw new Posix('EOPNOTSUPP', { layer: 'ext4', inode: node }, 'how a file is mapped, or a directory is looked up, cannot be changed');
    }
    const edit = yield* volume.edit(node);
    edit.change({ i_flags: flags });
    edit.setTimes({ ctime: volume.now() });
  });
}

/** Sets `i_generation` (EXT4_IOC_SETVERSION). Throws Posix (EOPNOTSUPP) where checksums depend on it. */
export function* changeGeneration(ext4: WritableExt4, node: NodeId, generation: number): Io<void> {
  const { volume } = ext4;
  if (volume.superblock.metadataCsum) {
    throw new Posix('EOPNOTSUPP', { layer: 'ext4', inode: node }, 'a generation cannot be set with the metadata_csum feature');
  }
  yield* ext4.transaction(function* () {
    yield* readNode(volume, node);
    const edit = yield* volume.edit(node);
    edit.change({ i_generation: generation >>> 0 });
    edit.setTimes({ ctime: volume.now() });
  });
}

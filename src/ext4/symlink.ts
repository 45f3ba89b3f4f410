/** The targets of symbolic links: in the inode, inline, or in a block (fs/ext4/symlink.c). */
import type { Bytes } from '../bytes/struct.ts';
import { untilNul } from '../bytes/text.ts';
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { linkCiphertext, shownName } from './encrypted-name.ts';
import { readData } from './file.ts';
import { EXT4_ENCRYPT_FL, EXT4_INLINE_DATA_FL } from './format/inode.ts';
import { type Inode, isFastSymlink } from './inode.ts';
import type { Volume } from './volume.ts';

/** The target of a link, as stored: ciphertext behind its length when the link is encrypted. */
function* readTarget(volume: Volume, inode: Inode): Io<Bytes> {
  if (inode.size === 0 || inode.size > volume.superblock.blockSize) {
    throw new Corrupt(`symbolic link of ${inode.size} bytes`, { layer: 'ext4', inode: inode.number });
  }
  if ((inode.flags & EXT4_INLINE_DATA_FL) === 0 && isFastSymlink(volume.superblock, inode)) {
    if (inode.size >= 60) throw new Corrupt(`fast symbolic link of ${inode.size} bytes`, { layer: 'ext4', inode: inode.number });
    return inode.block.slice(0, inode.size);
  }
  const target = new Uint8Array(inode.size);
  yield* readData(volume, inode, 0, target);
  return target;
}

/** What readlink(2) gives; of an encrypted link what it gives without the key. */
export function* readLink(volume: Volume, inode: Inode): Io<Bytes> {
  const stored = yield* readTarget(volume, inode);
  return (inode.flags & EXT4_ENCRYPT_FL) === 0 ? untilNul(stored) : shownName(linkCiphertext(stored, inode.number), 0, 0);
}

/** Data inside of the inode (fs/ext4/inline.c): the 60 bytes of `i_block`, continued in the attribute `system.data`. */
import type { Bytes } from '../bytes/struct.ts';
import { concatBytes } from '../bytes/text.ts';
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { EXT4_XATTR_INDEX_SYSTEM } from './format/xattr.ts';
import type { Inode } from './inode.ts';
import type { Volume } from './volume.ts';
import { readInodeXattrs } from './xattr-read.ts';

/** The value of `system.data`. Throws Corrupt where the attribute is missing. */
export function* readInlineTail(volume: Volume, inode: Inode): Io<Bytes> {
  for (const entry of yield* readInodeXattrs(volume, inode)) {
    if (entry.nameIndex === EXT4_XATTR_INDEX_SYSTEM && isData(entry.name)) {
      if (entry.valueInode !== 0) break;
      return entry.value;
    }
  }
  throw new Corrupt('inline data without the attribute system.data', { layer: 'ext4', inode: inode.number });
}

function isData(name: Bytes): boolean {
  return name.length === 4 && name[0] === 0x64 && name[1] === 0x61 && name[2] === 0x74 && name[3] === 0x61;
}

/** All inline bytes, cut to the inode's size. */
export function* readInlineData(volume: Volume, inode: Inode): Io<Bytes> {
  const tail = yield* readInlineTail(volume, inode);
  return concatBytes(inode.block, tail).subarray(0, Math.min(inode.size, 60 + tail.length));
}

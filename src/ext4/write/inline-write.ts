/** The attribute `system.data`, which continues inline data. */
import type { Bytes } from '../../bytes/struct.ts';
import { encodeName, sameBytes } from '../../bytes/text.ts';
import { Corrupt } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { EXT4_XATTR_INDEX_SYSTEM } from '../format/index.ts';
import type { XattrEntry } from '../xattr.ts';
import { readInodeXattrs } from '../xattr-read.ts';
import type { InodeEdit } from './inode-edit.ts';
import type { WritableVolume } from './writable-volume.ts';
import { fitsInside, storeInside } from './xattr-write.ts';

const NAME = encodeName('data');

function isTail(entry: XattrEntry): boolean {
  return entry.nameIndex === EXT4_XATTR_INDEX_SYSTEM && sameBytes(entry.name, NAME);
}

/** Sets the value of `system.data`, which may be empty. The caller knows that it fits: it is not longer than it was. */
export function* storeInlineTail(volume: WritableVolume, edit: InodeEdit, value: Bytes): Io<void> {
  const others = (yield* readInodeXattrs(volume, edit.inode)).filter((entry) => !isTail(entry));
  const entry: XattrEntry = { nameIndex: EXT4_XATTR_INDEX_SYSTEM, name: NAME, valueInode: 0, valueSize: value.length, value, hash: 0 };
  const entries = [entry, ...others];
  if (!fitsInside(volume, edit, entries)) throw new Corrupt('inline data has no room in its inode', { layer: 'ext4', inode: edit.number });
  storeInside(edit, entries);
}

/** Removes `system.data`. */
export function* dropInlineTail(volume: WritableVolume, edit: InodeEdit): Io<void> {
  storeInside(
    edit,
    (yield* readInodeXattrs(volume, edit.inode)).filter((entry) => !isTail(entry)),
  );
}

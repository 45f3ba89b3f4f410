/** Tuning ext2, ext3 and ext4: settings, identifiers, flags of files, free space. */
export { describeSuperblock } from './description.ts';
export { eachFreeRun, zeroFreeBlocks } from './free-space.ts';
export { changeFlags, changeGeneration, EXT4_FL_USER_VISIBLE, FLAG_LETTERS } from './node-flags.ts';
export { type Ext4Settings, superblockBytes, tuneExt4, tuneMountedExt4 } from './settings.ts';
export { setExt4Uuid, setMountedUuid } from './uuid.ts';

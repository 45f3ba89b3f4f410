// What a page needs to open, read and change qcow2 and raw images with ext4 and FAT on them.
export { openDisk } from '../../src/guest/disk.ts';

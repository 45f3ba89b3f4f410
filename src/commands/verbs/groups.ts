/** The groups of functions that are here; the API answers honestly which are not. */

/** Every group of which each function has a verb. */
export const AVAILABLE_GROUPS: ReadonlySet<string> = new Set([
  'acl',
  'augeas',
  'blkdiscard',
  'blkdiscardzeroes',
  'fstrim',
  'gdisk',
  'linuxcaps',
  'linuxfsuuid',
  'linuxxattrs',
  'mknod',
  'scrub',
  'selinux',
  'wipefs',
  'xz',
  'zerofree',
]);

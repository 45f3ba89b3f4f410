/** Verbs about the handle itself: mounting, and the state of the daemon. */
import { decodeName } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import { GROUPS, RETIRED_GROUPS } from '../api/functions.ts';
import { AVAILABLE_GROUPS } from './groups.ts';
import type { Verbs } from './verb.ts';

/** mount(8)'s comma-separated options: does `ro` hold in the end? */
function wantsReadOnly(options: string): boolean {
  let readOnly = false;
  for (const option of options.split(',')) {
    if (option === 'ro') readOnly = true;
    else if (option === 'rw') readOnly = false;
  }
  return readOnly;
}

export const handleVerbs: Verbs = {
  mount: {
    summary: 'mounts a device at a directory',
    *run(handle, { mountable, mountpoint }) {
      yield* handle.mount(mountable, mountpoint);
    },
  },
  mount_ro: {
    summary: 'mounts a device at a directory, read-only',
    *run(handle, { mountable, mountpoint }) {
      yield* handle.mount(mountable, mountpoint, { readOnly: true });
    },
  },
  mount_options: {
    summary: 'mounts a device at a directory with options of mount(8)',
    *run(handle, { options, mountable, mountpoint }) {
      yield* handle.mount(mountable, mountpoint, { readOnly: wantsReadOnly(options) });
    },
  },
  mount_vfs: {
    summary: 'mounts a device as a file system of a given type',
    *run(handle, { options, vfstype, mountable, mountpoint }) {
      if (vfstype !== '' && vfstype !== 'auto') {
        const found = (yield* handle.disk.identify(mountable))?.type;
        const family = (type: string | undefined): string | undefined =>
          /^ext[234]$/.test(type ?? '') ? 'ext' : type === 'msdos' ? 'vfat' : type;
        if (family(found) !== family(vfstype))
          throw new Posix('EINVAL', { path: mountable }, `wrong file system type: this is ${found ?? 'unknown'}, not ${vfstype}`);
      }
      yield* handle.mount(mountable, mountpoint, { readOnly: wantsReadOnly(options) });
    },
  },
  umount: {
    summary: 'unmounts a directory or a device',
    *run(handle, { pathordevice }) {
      yield* handle.unmount(pathordevice);
    },
  },
  umount_all: {
    summary: 'unmounts everything',
    *run(handle) {
      yield* handle.unmountAll();
    },
  },
  mounts: {
    summary: 'lists the devices that are mounted',
    *run(handle) {
      return handle.mounts.map((mount) => mount.device);
    },
  },
  mountpoints: {
    summary: 'lists what is mounted where',
    *run(handle) {
      return handle.mounts.map((mount) => [mount.device, decodeName(mount.at)] as const);
    },
  },
  umask: {
    summary: 'sets the permission bits that new files do not get, and gives the old ones',
    *run(handle, { mask }) {
      if (!(mask >= 0 && mask <= 0o777)) throw new Posix('EINVAL', {}, `${mask} is no mask: 0 to 0777`);
      const before = handle.umask;
      handle.umask = mask;
      return before;
    },
  },
  get_umask: {
    summary: 'gives the permission bits that new files do not get',
    *run(handle) {
      return handle.umask;
    },
  },
  ping_daemon: {
    summary: 'answers',
    *run() {},
  },
  sync: {
    summary: 'writes all changes into the images',
    *run(handle) {
      yield* handle.save();
    },
  },
  internal_autosync: {
    summary: 'unmounts everything and writes all changes into the images',
    *run(handle) {
      yield* handle.unmountAll();
      yield* handle.save();
    },
  },
  internal_feature_available: {
    summary: 'tells whether a group of functions is here: 0 yes, 1 no, 2 unknown',
    *run(_, { group }) {
      if (AVAILABLE_GROUPS.has(group) || RETIRED_GROUPS.includes(group)) return 0;
      return GROUPS.includes(group) ? 1 : 2;
    },
  },
  available_all_groups: {
    summary: 'lists all groups of functions that can be missing',
    *run() {
      return [...GROUPS, ...RETIRED_GROUPS].sort();
    },
  },
};

/** Verbs about where file systems are mounted, beyond mounting itself. */
import { Posix, Unsupported } from '../../errors.ts';
import type { Verbs } from './verb.ts';

/** The kinds of `internal_parse_mountable`. */
const MOUNTABLE_DEVICE = 1;

function requireAbsolute(path: string): void {
  if (!path.startsWith('/')) throw new Posix('EINVAL', {}, `path must start with a / character, unlike '${path}'`);
}

export const mountPointVerbs: Verbs = {
  mkmountpoint: {
    summary: 'makes a directory to mount something at, before anything is mounted',
    *run(handle, { exemptpath }) {
      requireAbsolute(exemptpath);
      yield* handle.makeMountPoint(exemptpath);
    },
  },
  rmmountpoint: {
    summary: 'removes a directory that was made to mount something at',
    *run(handle, { exemptpath }) {
      requireAbsolute(exemptpath);
      yield* handle.removeMountPoint(exemptpath);
    },
  },
  remount: {
    summary: 'lets a mounted file system be changed, or not',
    *run(handle, { mountpoint, rw }) {
      if (rw === undefined) throw new Posix('EINVAL', {}, "say whether it is to be changed with the option 'rw'");
      yield* handle.remount(mountpoint, { readOnly: !rw });
    },
  },
  mount_loop: {
    summary: 'mounts the file system within a file; not possible',
    *run() {
      throw new Unsupported(
        'loop devices',
        'a file system within a file of the guest cannot be mounted; download the file and open it as a drive',
      );
    },
  },
  mount_9p: {
    summary: 'mounts a file system of the host; not possible',
    *run() {
      throw new Unsupported('9p', 'there are no file systems of the host to mount');
    },
  },
  internal_parse_mountable: {
    summary: 'takes the name of something that can be mounted apart',
    *run(_, { mountable }) {
      return { im_type: MOUNTABLE_DEVICE, im_device: mountable, im_volume: '' };
    },
  },
  mountable_device: {
    summary: 'gives the device of something that can be mounted',
    *run(_, { mountable }) {
      return mountable;
    },
  },
  mountable_subvolume: {
    summary: 'gives the subvolume of something that can be mounted; devices have none',
    *run(_, { mountable }) {
      throw new Posix('EINVAL', { path: mountable }, 'this is a device and has no subvolume');
    },
  },
};

/** Opens the image that a command names, and mounts what its options say. */

import { chooseMounts, type MountChoice, type MountPoint, mountAll } from '../guest/choose-mounts.ts';
import { type Disk, openDisk } from '../guest/disk.ts';
import { GuestTree } from '../guest/tree.ts';
import type { Image } from '../image/image.ts';
import type { Io } from '../io/effect.ts';
import type { Host } from './host.ts';
import type { Invocation } from './invocation.ts';
import { openNamedImage } from './open-image.ts';

/** An image and the drive that it is for the guest. */
export interface OpenedImage {
  readonly image: Image;
  readonly disk: Disk;
}

/** Opens the image that an argument names as the drive of a guest. */
export function* openImageDisk(invocation: Invocation, host: Host, argument = 'IMAGE'): Io<OpenedImage> {
  const image = yield* openNamedImage(invocation, host, { argument });
  const disk = yield* openDisk(image, {
    codecs: host.codecs,
    ext4: { checksums: invocation.value('--checksums') === 'ignore' ? 'ignore' : 'verify' },
  });
  return { image, disk };
}

/** Opens the image that an argument names and mounts its file systems as `--partition`, `-m` or the default rule says. */
export function* openTree(invocation: Invocation, host: Host, argument = 'IMAGE'): Io<GuestTree> {
  const { disk } = yield* openImageDisk(invocation, host, argument);
  const tree = new GuestTree();
  yield* mountChosen(tree, invocation, disk, host);
  return tree;
}

/** Mounts in `tree` what `--partition`, `-m` or the default rule says. */
function* mountChosen(tree: GuestTree, invocation: Invocation, disk: Disk, host: Host): Io<void> {
  const choice = mountChoice(invocation, host);
  yield* mountAll(tree, disk, choice.points ?? (yield* chooseMounts(disk, choice)), choice.warn);
}

/** What the options of a command say about mounts. */
export function mountChoice(
  invocation: Invocation,
  host: Host,
): MountChoice & { readonly warn: (message: string) => void; readonly points: readonly MountPoint[] | undefined } {
  const partition = invocation.value('--partition');
  const mounts = invocation.values('--mount');
  if (partition !== undefined && mounts.length > 0) throw invocation.wrongUse('--partition and -m exclude each other');
  if (partition !== undefined && !/^(-1|[0-9]{1,4})$/.test(partition))
    throw invocation.wrongUse(`--partition wants -1, 0 or a number, not '${partition}'`);
  return {
    partition: partition === undefined ? undefined : Number(partition),
    points: mounts.length > 0 ? mountOptions(invocation, mounts) : undefined,
    hint: 'with --partition N or -m DEV',
    warn: (message) => host.warn(message),
  };
}

/** DEV[:MOUNTPOINT], further fields (mount options, type) as guestfish takes them are not looked at. */
function mountOptions(invocation: Invocation, values: readonly string[]): MountPoint[] {
  const points = values.map((value) => {
    const [device = '', at = '/'] = value.split(':');
    if (!device.startsWith('/dev/')) throw invocation.wrongUse(`-m wants DEV[:MOUNTPOINT] such as /dev/sda1:/boot, not '${value}'`);
    if (!at.startsWith('/')) throw invocation.wrongUse(`the mount point '${at}' is no absolute path`);
    return { device, at, wanted: true };
  });
  if (!points.some((point) => point.at === '/')) throw invocation.wrongUse('one -m has to mount something at /');
  return points;
}

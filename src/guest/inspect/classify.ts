/** Tells by the shape of its directories what a file system is for. */
import type { Io } from '../../io/effect.ts';
import type { Probe } from './probe.ts';

export type SystemType = 'linux' | 'freebsd' | 'netbsd' | 'openbsd' | 'hurd' | 'minix' | 'dos' | 'windows';

/** The role of a file system: the root of an operating system, or something else. */
export type Role = { readonly role: 'root'; readonly type: SystemType } | { readonly role: 'other' };

const OTHER: Role = { role: 'other' };
const root = (type: SystemType): Role => ({ role: 'root', type });

/** All of these are regular files or directories (which ends in a slash), links not followed. */
function* has(probe: Probe, ...paths: readonly string[]): Io<boolean> {
  for (const path of paths) {
    const directory = path.endsWith('/');
    const kind = yield* probe.kind(directory ? path.slice(0, -1) : path);
    if (kind !== (directory ? 'directory' : 'file')) return false;
  }
  return true;
}

/**
 * The first match of libguestfs's order counts. More than there, a Linux root may also have `/bin -> /usr/bin`, and needs neither
 * fstab nor hosts where it has an os-release file.
 */
export function* classify(probe: Probe): Io<Role> {
  for (const grub of ['/grub/menu.lst', '/grub/grub.conf', '/grub2/grub.cfg']) if (yield* has(probe, grub)) return OTHER;
  if (yield* has(probe, '/etc/', '/bin/', '/etc/freebsd-update.conf', '/etc/fstab')) return root('freebsd');
  if (yield* has(probe, '/netbsd', '/etc/fstab', '/etc/release')) return root('netbsd');
  if (yield* has(probe, '/bsd', '/etc/fstab', '/etc/motd')) return root('openbsd');
  if (yield* has(probe, '/hurd/console', '/hurd/hello', '/hurd/null')) return root('hurd');
  if (yield* has(probe, '/service/vm', '/etc/fstab', '/etc/version')) return root('minix');
  if (yield* isLinuxRoot(probe)) return root('linux');
  if (yield* has(probe, '/etc/', '/root/', '/home/', '/usr/', '/etc/coreos/update.conf')) return root('linux');
  for (const folder of ['/windows', '/winnt', '/win32', '/win', '/reactos']) {
    if (yield* has(probe, `${folder}/system32/`, `${folder}/system32/config/`, `${folder}/system32/cmd.exe`)) return root('windows');
  }
  if (yield* has(probe, '/FDOS/FREEDOS.BSS')) return root('dos');
  if (yield* has(probe, '/DOS/COMMAND.COM')) return root('dos');
  return OTHER;
}

function* isLinuxRoot(probe: Probe): Io<boolean> {
  if (!(yield* has(probe, '/etc/'))) return false;
  const bin = yield* probe.kind('/bin');
  if (bin === 'symlink') {
    const target = (yield* probe.link('/bin')) ?? '';
    if (!/^\/?usr\/bin$/.test(target)) return false;
  } else if (bin !== 'directory') return false;
  for (const file of ['/etc/fstab', '/etc/hosts']) if (yield* has(probe, file)) return true;
  const kind = yield* probe.kind('/etc/os-release');
  return kind === 'file' || kind === 'symlink' || (yield* has(probe, '/usr/lib/os-release'));
}

/** Hostname and init system. */
import type { Io } from '../../io/effect.ts';
import { CONFIGURATION_LIMIT, type Probe } from './probe.ts';
import { assignments } from './shell-words.ts';

/** The first line that says something in /etc/HOSTNAME or /etc/hostname, else HOSTNAME of /etc/sysconfig/network. */
export function* readHostname(probe: Probe): Io<string | undefined> {
  for (const path of ['/etc/HOSTNAME', '/etc/hostname']) {
    const lines = yield* probe.lines(path, CONFIGURATION_LIMIT);
    const name = lines?.map((line) => line.trim()).find((line) => line !== '' && !line.startsWith('#'));
    if (name !== undefined) return name;
  }
  const network = yield* probe.lines('/etc/sysconfig/network', CONFIGURATION_LIMIT);
  return network === undefined ? undefined : assignments(network).get('HOSTNAME');
}

/** The names of BSD's: `hostname=` of /etc/rc.conf. */
export function* readBsdHostname(probe: Probe): Io<string | undefined> {
  const lines = yield* probe.lines('/etc/rc.conf', CONFIGURATION_LIMIT);
  const name = lines === undefined ? undefined : assignments(lines).get('hostname');
  return name ?? (yield* probe.lines('/etc/myname', CONFIGURATION_LIMIT))?.[0]?.trim();
}

export type InitSystem = 'systemd' | 'openrc' | 'busybox' | 'upstart' | 'sysvinit' | 'runit' | 's6' | 'dinit' | 'unknown';

/** Which program is process 1, by where /sbin/init leads and by the files that each init reads. */
export function* readInit(probe: Probe): Io<InitSystem> {
  const program = (yield* probe.realpath('/sbin/init')) ?? '';
  const name = program.slice(program.lastIndexOf('/') + 1);
  if (name === 'systemd') return 'systemd';
  if (name === 'openrc-init') return 'openrc';
  if (name.startsWith('runit')) return 'runit';
  if (name.startsWith('s6-')) return 's6';
  if (name === 'dinit') return 'dinit';
  if ((yield* probe.followedKind('/sbin/openrc')) === 'file' && (yield* probe.followedKind('/etc/runlevels')) === 'directory')
    return 'openrc';
  if (name === 'busybox') return 'busybox';
  const programs = (yield* probe.entries('/etc/init')).some((entry) => new TextDecoder().decode(entry.name).endsWith('.conf'));
  if (programs && program !== '') return 'upstart';
  if ((yield* probe.followedKind('/etc/inittab')) === 'file') return program === '' ? 'unknown' : 'sysvinit';
  if ((yield* probe.followedKind('/lib/systemd/systemd')) === 'file') return 'systemd';
  return 'unknown';
}

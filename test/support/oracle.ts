/** The real tools that judge our work. A missing tool is a failure, never a skip. */
import { spawnSync } from 'node:child_process';

export interface Outcome {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a real tool and returns what it said, whatever its exit status. */
export function run(command: string, parameters: readonly string[], input?: Uint8Array): Outcome {
  const result = spawnSync(command, [...parameters], {
    maxBuffer: 1 << 30,
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    ...(input === undefined ? {} : { input }),
  });
  if (result.error !== undefined)
    throw new Error(`${command} cannot be run (${result.error.message}); tools/install-oracles.sh installs it`);
  return { status: result.status ?? -1, stdout: result.stdout, stderr: result.stderr.toString() };
}

/** Runs a real tool that has to succeed; its standard output as text. */
export function must(command: string, ...parameters: readonly string[]): string {
  const outcome = run(command, parameters);
  if (outcome.status !== 0)
    throw new Error(`${command} ${parameters.join(' ')} exited ${outcome.status}: ${outcome.stderr}${outcome.stdout.toString()}`);
  return outcome.stdout.toString();
}

/** What `e2fsck -fn` has to say against a file system: nothing when it is clean. Exit status 0 alone does not mean clean. */
export function e2fsckComplaints(image: string): string {
  const { status, stdout, stderr } = run('e2fsck', ['-fn', image]);
  const lines = stdout.toString().split('\n');
  const noise = lines.filter((line) => line !== '' && !/^(Pass [1-5][A-D]?: |.*: \d+\/\d+ files \()/.test(line));
  const banner = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('e2fsck '));
  return status === 0 && noise.length === 0 && banner.length === 0 ? '' : `exit ${status}\n${[...noise, ...banner].join('\n')}`;
}

/** What `fsck.vfat -n` has to say against a file system: nothing when it is clean. */
export function fsckVfatComplaints(image: string): string {
  const { status, stdout, stderr } = run('fsck.vfat', ['-n', image]);
  const noise = stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !/^(fsck\.fat \d|.*: \d+ files, \d+\/\d+ clusters)/.test(line));
  return status === 0 && noise.length === 0 && stderr === '' ? '' : `exit ${status}\n${noise.join('\n')}${stderr}`;
}

/** What `qemu-img check` has to say against an image: nothing when it is clean. */
export function qemuCheckComplaints(image: string): string {
  const { status, stdout, stderr } = run('qemu-img', ['check', image]);
  return status === 0 ? '' : `exit ${status}\n${stdout.toString()}${stderr}`;
}

import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { GUESTLESS, guestless } from '../cli/run.ts';
import { fixture, privateCopy, scratchFolder, sha256, untouched } from '../support/images.ts';
import { e2fsckComplaints, must } from '../support/oracle.ts';
import { fish } from './shell.ts';

/** The first partition of the disk in a file of its own, for e2fsck. */
function firstPartition(disk: string): string {
  const target = path.join(scratchFolder(), 'ext4.img');
  fs.writeFileSync(target, fs.readFileSync(disk).subarray(1 << 20, 7 << 20));
  return target;
}

describe('changes', () => {
  it('are in the image at the end, and the file system is clean', async () => {
    const disk = privateCopy(fixture('shell/disk.img'));
    const { status, stderr } = await fish(
      ['-a', disk, '-m', '/dev/sda1'],
      'write /new "content\\n"\nmkdir-p /a/b\ncp /etc/motd /a/b/motd\n',
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: [] });
    const partition = firstPartition(disk);
    expect(e2fsckComplaints(partition)).toBe('');
    expect(must('debugfs', '-R', 'cat /new', partition)).toBe('content\n');
    expect(must('debugfs', '-R', 'cat /a/b/motd', partition)).toBe(must('debugfs', '-R', 'cat /etc/motd', partition));
  });

  it('made before an error stay, as with guestfish', async () => {
    const disk = privateCopy(fixture('shell/disk.img'));
    expect((await fish(['-a', disk, '-m', '/dev/sda1'], 'write /before x\nrm /nosuch\nwrite /after x\n')).status).toBe(1);
    const listing = must('debugfs', '-R', 'ls -p /', firstPartition(disk));
    expect(listing).toContain('/before/');
    expect(listing).not.toContain('/after/');
  });

  it('vanish with --ro, and mounts of --ro are read-only; run and mount can still write into nothing', async () => {
    const disk = fixture('shell/disk.img');
    await untouched([disk], async () => {
      expect((await fish(['--ro', '-a', disk, '-m', '/dev/sda1', 'write', '/new', 'x'])).stderr.join()).toContain('Read-only');
      const { stdout } = await fish(['--ro', '-a', disk], 'run\nmount /dev/sda1 /\nwrite /new x\ncat /new\n');
      expect(stdout).toBe('x\n');
    });
  });

  it('are not written with --no-sync, except by sync', async () => {
    const disk = privateCopy(fixture('shell/disk.img'));
    const before = sha256(disk);
    await fish(['-n', '-a', disk, '-m', '/dev/sda1', 'write', '/new', 'x']);
    expect(sha256(disk)).toBe(before);
    await fish(['-n', '-a', disk, '-m', '/dev/sda1', 'write', '/new', 'x', ':', 'sync', ':', 'write', '/other', 'y']);
    const listing = must('debugfs', '-R', 'ls -p /', firstPartition(disk));
    expect(listing).toContain('/new/');
    expect(listing).not.toContain('/other/');
  });
});

describe('between host and guest', () => {
  const run = (words: readonly string[], script: string, environment: Record<string, string> = {}, cwd: string = scratchFolder()) => {
    const { status, stdout, stderr } = spawnSync(GUESTLESS, ['fish', ...words], {
      input: script,
      cwd,
      env: { ...process.env, ...environment },
    });
    return { status, stdout: stdout.toString(), stderr: stderr.toString(), cwd };
  };

  it('edit and more run programs of the host', () => {
    const words = ['--ro', '-a', fixture('shell/disk.img')];
    const script = 'run\nmount /dev/sda1 /\nedit /etc/motd\nmore /etc/motd\nstat /etc/motd | grep -w -e mode -e size\n-vi\n';
    const { status, stdout } = run(words, script, { EDITOR: 'sed -i s/day/night/', PAGER: 'cat -n' });
    expect(stdout).toBe('     1\tWelcome to the message of the night.\n     2\tThis motd has two lines.\nmode: 33188\nsize: 62\n');
    expect(status).toBe(0);
    expect(run(words, 'run\nmount /dev/sda1 /\nedit /etc/motd\n', { EDITOR: 'false' }).status).toBe(1);
  });

  it('copy-in, copy-out, upload, download, pipes and inline commands', () => {
    const cwd = scratchFolder();
    fs.mkdirSync(path.join(cwd, 'in/folder'), { recursive: true });
    fs.writeFileSync(path.join(cwd, 'in/folder/file'), 'from the host\n', { mode: 0o640 });
    fs.symlinkSync('folder/file', path.join(cwd, 'in/link'));
    const script = `run
mount /dev/sda1 /
copy-in in /
cat /in/link | tr a-z A-Z
<! for n in 1 2; do echo write /in/$n $n; done
upload in/folder/file /uploaded
tar-out /in - | tar t | sort
!mkdir out
copy-out /in /uploaded out
download /in/1 one
-download /nosuch none
-copy-out /nosuch out
-copy-in nosuch /
hexdump /etc/motd | head -c 8
`;
    const { status, stdout } = run(['--ro', '-a', fixture('shell/disk.img')], script, {}, cwd);
    expect(stdout).toBe('FROM THE HOST\n\n./\n./1\n./2\n./folder/\n./folder/file\n./link\n00000000');
    expect(status).toBe(0);
    expect(fs.readFileSync(path.join(cwd, 'out/in/folder/file'), 'utf8')).toBe('from the host\n');
    expect(fs.readlinkSync(path.join(cwd, 'out/in/link'))).toBe('folder/file');
    expect(fs.readFileSync(path.join(cwd, 'out/uploaded'), 'utf8')).toBe('from the host\n');
    expect(fs.readFileSync(path.join(cwd, 'one'), 'utf8')).toBe('1');
    expect(fs.existsSync(path.join(cwd, 'none'))).toBe(false);
  });

  it('--pipe-error tells of a command that stops reading', () => {
    const script = 'run\nmount /dev/sda1 /\nfill 65 3000000 /big\ndownload /big - | true\n';
    expect(run(['--ro', '-a', fixture('shell/disk.img')], script).status).toBe(0);
    expect(run(['--ro', '-a', fixture('shell/disk.img'), '--pipe-error'], script)).toMatchObject({ status: 1 });
  });
});

describe('-i', () => {
  it('mounts the only operating system', () => {
    const release = guestless(['cat', fixture('demo.qcow2'), '/etc/os-release']).stdout;
    expect(guestless(['fish', '--ro', '-a', fixture('demo.qcow2'), '-i', 'cat', '/etc/os-release'])).toMatchObject({
      status: 0,
      stdout: `${release}\n`,
      stderr: '',
    });
  });

  it('says so when there is none', async () => {
    const { status, stderr } = await fish(['--ro', '-a', fixture('shell/disk.img'), '-i', 'ls', '/']);
    expect(status).toBe(1);
    expect(stderr.join()).toContain('no operating system');
  });
});

describe('remote control', () => {
  it('sends commands to one process, with their input and output, until exit', async () => {
    const environment = { ...process.env, XDG_RUNTIME_DIR: scratchFolder() };
    const disk = privateCopy(fixture('shell/disk.img'));
    const listening = spawnSync(GUESTLESS, ['fish', '--listen', '-a', disk, '-m', '/dev/sda1'], { env: environment });
    const pid = /^GUESTFISH_PID=([0-9]+); export GUESTFISH_PID\n$/.exec(listening.stdout.toString())?.[1];
    expect(pid).toBeDefined();
    const remote = (words: readonly string[], input = '') =>
      spawnSync(GUESTLESS, ['fish', '--remote', '--', ...words], { input, env: { ...environment, GUESTFISH_PID: pid } });
    const [socket] = fs.readdirSync(path.join(environment.XDG_RUNTIME_DIR, `.guestless-fish-${process.getuid?.()}`));
    expect(socket).toBe(`socket-${pid}`);
    expect(remote(['cat', '/etc/hosts']).stdout.toString()).toBe('127.0.0.1 localhost\n\n');
    expect(remote(['upload', '-', '/uploaded'], 'through the socket\n').status).toBe(0);
    expect(remote(['-cat', '/nosuch', ':', 'cat', '/uploaded']).stdout.toString()).toBe('through the socket\n\n');
    expect(remote([], 'echo a "b  c"\ncat /uploaded | wc -l\n').stdout.toString()).toBe('a b  c\n2\n');
    expect(remote(['exit']).status).toBe(0);
    for (let i = 0; i < 100 && fs.existsSync(`/proc/${pid}`); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(must('debugfs', '-R', 'cat /uploaded', firstPartition(disk))).toBe('through the socket\n');
    expect(remote(['echo', 'x']).status).toBe(1);
  });

  it('ends with the first error', () => {
    const environment = { ...process.env, XDG_RUNTIME_DIR: scratchFolder() };
    const listening = spawnSync(GUESTLESS, ['fish', '--listen', '--csh'], { env: environment });
    const pid = /^setenv GUESTFISH_PID ([0-9]+)\n$/.exec(listening.stdout.toString())?.[1] ?? '';
    const remote = (...words: string[]) => spawnSync(GUESTLESS, ['fish', `--remote=${pid}`, ...words], { env: environment });
    expect(remote('nosuch')).toMatchObject({ status: 1 });
    expect(remote('echo', 'x')).toMatchObject({ status: 1 });
  });
});

describe('a person', () => {
  it('gets a prompt, goes on after errors, and ends with quit', async () => {
    const home = scratchFolder();
    // script(1) gives it a terminal.
    const command = `${GUESTLESS} fish --ro -a ${fixture('shell/disk.img')}`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, HOME: home, TERM: 'xterm', NO_COLOR: '1' } });
    let seen = '';
    const until = async (text: string) => {
      for (let i = 0; i < 400 && !seen.includes(text); i++) await new Promise((resolve) => setTimeout(resolve, 25));
      expect(seen).toContain(text);
      seen = seen.slice(seen.indexOf(text) + text.length);
    };
    child.stdout.on('data', (data: Buffer) => {
      seen += data.toString();
    });
    await until('><fs> ');
    child.stdin.write('run\n');
    await until('><fs> ');
    child.stdin.write('mount /dev/sda1 /\n');
    await until('><fs> ');
    child.stdin.write('cat /nosuch\n');
    await until('No such file or directory');
    await until('><fs> ');
    child.stdin.write('cat /etc/hos\t');
    await until('/etc/hosts ');
    child.stdin.write('\n');
    await until('127.0.0.1 localhost');
    await until('><fs> ');
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    child.stdin.write('quit\n');
    expect(await ended).toBe(0);
    expect(fs.readFileSync(path.join(home, '.guestless_history'), 'utf8')).toContain('mount /dev/sda1 /\n');
  });
});

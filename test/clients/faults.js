// What must not go wrong when things go wrong: clients that are killed or give up, images in use, odd names, other users, damaged images.
// The last line is `N passed, N failed`.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { runChecks } from '../support/run-checks.js';

const root = path.resolve(import.meta.dirname, '../..');
const demo = path.join(root, 'fixtures/demo.qcow2');
/** Where the root file system of the demo begins, in bytes. */
const ROOT_OFFSET = 38_797_312;
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-faults-'));
fs.chmodSync(work, 0o755);

const settings = spawnSync(path.join(root, 'guestless'), ['appliance', 'env'], { encoding: 'utf8' }).stdout;
const env = { ...process.env, LC_ALL: 'C.UTF-8', PATH: `${process.env.PATH}:/usr/sbin:/sbin`, HOME: work };
for (const [, name, value] of settings.matchAll(/^export (\w+)=(\S+)$/gm)) env[name] = value;

function sh(script, more = {}) {
  const { status, stdout, stderr, error } = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    env: { ...env, ...more },
    timeout: 120_000,
    maxBuffer: 1 << 28,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

function must(script, more) {
  const result = sh(script, more);
  assert.equal(result.status, 0, `${script}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

function rawDemo(name) {
  const image = path.join(work, name);
  must(`qemu-img convert -O raw "${demo}" "$1"`.replaceAll('"$1"', `'${image}'`));
  return image;
}

function assertClean(image) {
  const { status, stdout } = sh(`e2fsck -fn '${image}?offset=${ROOT_OFFSET}'`);
  const noise = stdout.split('\n').filter((line) => line !== '' && !/^(Pass [1-5]|.*: \d+\/\d+ files)/.test(line));
  assert.deepEqual([status, noise], [0, []]);
}

/** The processes that serve this image. */
function servers(image) {
  return sh(`pgrep -af '[a]ppliance serve' | grep -F '${image}'`).stdout.trim();
}

/** Starts guestfish with these commands, and does not wait for it. */
function guestfish(image, commands, more = {}) {
  return spawn('guestfish', ['-a', image, '--format=raw', ...commands.split(' ')], { env, stdio: 'ignore', ...more });
}

/** Waits for the end of a process that was started with `spawn`; it may have come already. */
async function ended(child) {
  while (child.exitCode === null && child.signalCode === null) await sleep(20);
}

async function gone(image) {
  for (let i = 0; i < 100 && servers(image) !== ''; i++) await sleep(100);
  assert.equal(servers(image), '');
}

const TESTS = {
  async 'a client that is killed while it uploads leaves no process, and an image that is as before or complete'() {
    const image = rawDemo('killed.raw');
    const big = path.join(work, 'big');
    fs.writeFileSync(big, Buffer.alloc(30 << 20, 'guestless'));
    for (const delay of [150, 300, 450, 600, 900, 1300]) {
      const client = guestfish(image, `run : mount /dev/sda2 / : upload ${big} /opt/big : sync : rm /opt/big`, { detached: true });
      await sleep(delay);
      // It may have come to its end.
      client.kill('SIGKILL');
      await gone(image);
      // A commit that was under way is finished by whoever opens the image for writing next.
      must(`guestfish --format=raw -a '${image}' run : mount /dev/sda2 / : rm-f /opt/big`);
      assertClean(image);
    }
  },

  async 'the stand-in that is killed at any moment leaves an image that is whole'() {
    const image = rawDemo('murdered.raw');
    for (const delay of [200, 350, 500, 700, 1000]) {
      const client = guestfish(image, 'run : mount /dev/sda2 / : fill 65 20M /opt/f : sync : rm /opt/f');
      await sleep(delay);
      sh(`pkill -KILL -f '[a]ppliance serve.*${image}'`);
      await ended(client);
      await gone(image);
      must(`guestfish --format=raw -a '${image}' run : mount /dev/sda2 / : rm-f /opt/f`);
      assertClean(image);
    }
  },

  'changes that are saved again and again stand on each other, in raw and in qcow2'() {
    const script = path.join(import.meta.dirname, 'commits.py');
    const raw = rawDemo('commits.raw');
    must(`/usr/bin/python3 '${script}' '${raw}' raw`);
    assertClean(raw);
    const image = path.join(work, 'commits.qcow2');
    fs.copyFileSync(demo, image);
    must(`/usr/bin/python3 '${script}' '${image}' qcow2 && qemu-img check '${image}' && qemu-img convert -O raw '${image}' '${raw}'`);
    assertClean(raw);
  },

  async 'an image that qemu writes to is not opened, and qemu does not open ours'() {
    const image = rawDemo('locked.raw');
    const qemu = spawn('qemu-io', ['-f', 'raw', image], { stdio: ['pipe', 'pipe', 'ignore'], env });
    await new Promise((resolve) => qemu.stdout.once('data', resolve));
    const refused = sh(`guestfish --format=raw -a '${image}' run`, { LIBGUESTFS_DEBUG: '1' });
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /in use by another program/);
    qemu.stdin.end('quit\n');
    await ended(qemu);

    const client = spawn('guestfish', ['--format=raw', '-a', image], { stdio: ['pipe', 'pipe', 'ignore'], env });
    client.stdin.write('run\nping-daemon\necho ready\n');
    await new Promise((resolve) => client.stdout.once('data', resolve));
    const other = sh(`qemu-io -f raw -c 'write 0 512' '${image}'`);
    assert.match(other.stderr + other.stdout, /Failed to get .*lock/);
    client.stdin.end('exit\n');
    await ended(client);
    must(`qemu-io -f raw -c 'read 0 512' '${image}'`);
  },

  'names with commas, spaces, quotes and bytes that are no UTF-8 are names'() {
    for (const name of ['with,comma,,two.raw', "with space and 'quote.raw", 'ünï.raw']) {
      const image = path.join(work, name);
      fs.copyFileSync(rawDemo('plain.raw'), image);
      assert.equal(must('guestfish --format=raw -a "$IMAGE" -i write /opt/x y : cat /etc/hostname', { IMAGE: image }).trim(), 'demo');
      assert.equal(must('guestfish --ro -a "$IMAGE" -i cat /opt/x', { IMAGE: image }).trim(), 'y');
    }
    must(
      `cp '${work}/plain.raw' "$(printf '${work}/\\377\\376.raw')"; guestfish --format=raw -a "$(printf '${work}/\\377\\376.raw')" -i write /opt/x y`,
    );
    assert.equal(must(`guestfish --ro -a "$(printf '${work}/\\377\\376.raw')" -i cat /opt/x`).trim(), 'y');
  },

  'an ordinary user needs nothing special'() {
    const copy = path.join(work, 'installed');
    must(
      `mkdir -p '${copy}/dist' && cp -r '${root}/appliance' '${copy}' && cp -r '${root}/dist/bundle' '${copy}/dist' && chmod -R a+rX '${copy}' && install -d -o nobody '${work}/nobody' && cp '${demo}' '${work}/nobody/theirs.qcow2' && chown nobody '${work}/nobody/theirs.qcow2' && install -d -o nobody '${work}/nobody/tmp'`,
    );
    const theirs = {
      HOME: path.join(work, 'nobody'),
      TMPDIR: path.join(work, 'nobody/tmp'),
      LIBGUESTFS_CACHEDIR: path.join(work, 'nobody'),
      XDG_RUNTIME_DIR: path.join(work, 'nobody'),
      LIBGUESTFS_HV: `${copy}/appliance/guestless-appliance`,
      LIBGUESTFS_PATH: `${copy}/appliance/boot`,
    };
    const as = (script) => `setpriv --reuid=nobody --regid=nogroup --clear-groups bash -c "${script}"`;
    assert.equal(must(as(`guestfish --ro -a '${work}/nobody/theirs.qcow2' -i cat /etc/hostname`), theirs).trim(), 'demo');
    must(as(`guestfish -a '${work}/nobody/theirs.qcow2' -i write /opt/by-nobody text`), theirs);
    assert.equal(must(`guestfish --ro -a '${work}/nobody/theirs.qcow2' -i cat /opt/by-nobody`).trim(), 'text');
    must(`qemu-img check '${work}/nobody/theirs.qcow2'`);
  },

  async 'a disk on the network is read, and written where it may be'() {
    const image = rawDemo('served.raw');
    const socket = path.join(work, 'nbd.sock');
    const server = spawn('qemu-nbd', ['-f', 'raw', '-k', socket, '--shared=8', '--persistent', image], { env, stdio: 'ignore' });
    while (!fs.existsSync(socket)) await sleep(20);
    try {
      const disk = (mode) => `add-drive "" format:raw protocol:nbd server:unix:${socket} readonly:${mode} : run : mount /dev/sda2 / :`;
      assert.equal(must(`guestfish ${disk('true')} cat /etc/hostname`).trim(), 'demo');
      must(`guestfish ${disk('false')} write /opt/over-the-network text`);
      assert.equal(must(`guestfish ${disk('true')} cat /opt/over-the-network`).trim(), 'text');
    } finally {
      server.kill();
      await ended(server);
    }
    assertClean(image);
  },

  'without a qemu-img of its own the library takes ours'() {
    const text = must(`PATH="${root}/appliance/bin:$PATH" guestfish --ro -a '${demo}' -i cat /etc/hostname`);
    assert.equal(text.trim(), 'demo');
    const info = must(`ulimit -v 1048576; '${root}/appliance/bin/qemu-img' info -U --output json '${demo}'`);
    assert.equal(JSON.parse(info)['virtual-size'], 109_051_904);
    assert.equal(
      must(
        `PATH="${root}/appliance/bin:$PATH" guestfish disk-create '${work}/made.qcow2' qcow2 10M : disk-format '${work}/made.qcow2' : disk-virtual-size '${work}/made.qcow2'`,
      ).trim(),
      'qcow2\n10485760',
    );
  },

  'a receiver that is full, and a sender that ends early, leave a handle that works'() {
    const image = rawDemo('full.raw');
    const out = sh(`guestfish --format=raw -a '${image}' <<'FISH'
run
mount /dev/sda2 /
fill 66 20M /opt/b
-download /opt/b /dev/full
-upload /nothing/there /opt/c
exists /opt/c
filesize /opt/b
-tar-in /etc/passwd /opt
ping-daemon
checksum md5 /opt/b
FISH`);
    assert.equal(out.status, 0, out.stderr);
    assert.equal(out.stdout, `false\n20971520\n${must('head -c 20971520 /dev/zero | tr "\\0" B | md5sum | cut -d" " -f1')}`);
    assertClean(image);
  },

  'a path never leaves the guest'() {
    fs.writeFileSync(path.join(work, 'secret'), 'of the host');
    const image = rawDemo('paths.raw');
    const out = sh(`guestfish --format=raw -a '${image}' -i <<FISH
ln-s ${work}/secret /opt/link
ln-s ../../../../../../..${work}/secret /opt/link2
-cat /opt/link
-cat /opt/link2
-cat /../../../../..${work}/secret
-write ${work}/new text
FISH`);
    assert.ok(!out.stdout.includes('of the host'));
    assert.ok(!fs.existsSync(path.join(work, 'new')));
  },

  'damaged images give errors, in time, and the process ends'() {
    const whole = fs.readFileSync(rawDemo('damage.raw'));
    let random = 12_345;
    const next = (limit) => {
      random = (random * 1_103_515_245 + 12_345) & 0x7fffffff;
      return random % limit;
    };
    for (let round = 0; round < 12; round++) {
      const bytes = Buffer.from(whole);
      for (let i = 0; i < 400; i++) bytes[ROOT_OFFSET + next(1 << 20)] = next(256);
      const image = path.join(work, 'damaged.raw');
      fs.writeFileSync(image, bytes);
      const { status } = sh(
        `guestfish --ro --format=raw -a '${image}' run : -list-filesystems : -mount /dev/sda2 / : -find / : -ll / : -checksums-out md5 / - >/dev/null 2>&1`,
      );
      assert.ok(status === 0 || status === 1, `status ${status}`);
      assert.equal(servers(image), '');
    }
  },
};

await runChecks(TESTS, { only: process.argv[2] });
fs.rmSync(work, { recursive: true, force: true });

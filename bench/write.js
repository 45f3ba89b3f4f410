// Compares writing into ext4 with the real tools in the same run, as whole processes: node bench/write.js [--runs=N]
// Needs mke2fs and GNU time. Works in TMPDIR, where it takes about 4 GiB. Beside the time that passed it gives that of the processors, which other
// work on the machine disturbs less.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';

const guestless = path.join(path.resolve(import.meta.dirname, '..'), 'guestless');
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-bench-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));
// Where this is set, Node.js reads all certificates of the machine at each start, which has nothing to do with what is compared.
delete process.env.NODE_EXTRA_CA_CERTS;
const runs = Number(process.argv.find((word) => word.startsWith('--runs='))?.slice('--runs='.length) ?? 3);
const FILES = 20_000;

/** A tree of small files, the same each time. */
function makeTree(folder) {
  let seed = 1;
  const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const bytes = Buffer.alloc(1 << 16);
  for (let i = 0; i < bytes.length; i++) bytes[i] = random() * 256;
  for (let i = 0; i < FILES; i++) {
    const directory = path.join(folder, `dir-${Math.floor(i / 500)}`, `sub-${Math.floor(i / 100) % 5}`);
    if (i % 100 === 0) fs.mkdirSync(directory, { recursive: true });
    fs.writeFileSync(path.join(directory, `file-${i}.txt`), bytes.subarray(0, Math.min(bytes.length, -Math.log(1 - random()) * 6000)));
  }
}

function once(command) {
  const start = performance.now();
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', 'PEAK %M CPU %U %S', 'sh', '-c', command], { cwd: work, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: exit ${status}: ${stderr.slice(-300)}`);
  const seconds = (performance.now() - start) / 1000;
  const [, peak = 0, user = 0, system = 0] = /PEAK (\d+) CPU ([\d.]+) ([\d.]+)/.exec(stderr) ?? [];
  return { seconds, peak: Number(peak) / 1024, cpu: Number(user) + Number(system) };
}

/** Runs both in turn; `prepare` before each is not counted. `goal`: how fast ours has to be, as a part of the peer's speed. */
function compare(name, prepare, ours, theirs, goal) {
  const samples = [[], []];
  for (let round = 0; round < runs; round++) {
    for (const [i, command] of [ours, theirs].entries()) {
      once(prepare);
      samples[i].push(once(command));
    }
  }
  const median = (of) => samples.map((sample) => sample.map(of).sort((x, y) => x - y)[sample.length >> 1]);
  const [a, b] = median((one) => one.seconds);
  const [cpu, peerCpu] = median((one) => one.cpu);
  const peak = Math.max(...samples[0].map((one) => one.peak));
  const good = b / a >= goal && peak < 200;
  console.log(
    `${good ? 'ok  ' : 'MISS'} ${name}: ${(b / a).toFixed(2)} × its speed, goal ${goal} (${a.toFixed(2)} s, ${b.toFixed(2)} s; processors ${cpu.toFixed(2)} s, ${peerCpu.toFixed(2)} s), peak ${peak.toFixed(0)} MiB`,
  );
  return good;
}

// The first run after a commit bundles the tool.
spawnSync(guestless, ['--version'], { stdio: 'ignore' });
fs.mkdirSync(path.join(work, 'tree'));
makeTree(path.join(work, 'tree'));
once('tar -C tree -cf tree.tar . && head -c 1G /dev/urandom > big');
const blank = 'rm -f a.img copy; mke2fs -q -t ext4 a.img 2G';
const good = [
  compare(
    'tar-in, 20,000 files; mke2fs -d',
    blank,
    `${guestless} tar-in --commit a.img tree.tar /`,
    'mke2fs -q -F -t ext4 -d tree a.img 2G',
    1,
  ),
  compare('copy-in, 1 GiB; cp', blank, `${guestless} copy-in --overlay copy a.img big /`, 'cp --reflink=never big copy', 0.5),
];
console.log(`load average ${os.loadavg()[0].toFixed(1)}`);
process.exitCode = good.every(Boolean) ? 0 : 1;

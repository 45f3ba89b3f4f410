// Measures the stand-in under an unmodified guestfish: node bench/appliance.js [--runs=N] [--no-real] [--write]
// Needs guestfish, mke2fs and .cache/debian (npm run fixtures:debian). Where libguestfs's own appliance is installed it is started too, emulated and
// once, which takes up to a minute. --write puts the table into docs/performance.md.
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const guestless = path.join(root, 'guestless');
const image = path.join(root, '.cache/debian/zlib.qcow2');
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-bench-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));
const words = process.argv.slice(2);
const runs = Number(words.find((word) => word.startsWith('--runs='))?.slice('--runs='.length) ?? 7);
const SIZE = 200 << 20;
const PINGS = 5000;

for (const [what, there] of [
  ['guestfish', spawnSync('guestfish', ['--version']).status === 0],
  ['.cache/debian (npm run fixtures:debian)', fs.existsSync(image)],
]) {
  if (there) continue;
  console.error(`bench/appliance.js: no ${what}`);
  process.exit(1);
}

const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(LIBGUESTFS|GUESTLESS)_/.test(name)));
const standIn = { ...plain };
for (const line of execFileSync(guestless, ['appliance', 'env'], { encoding: 'utf8' }).split('\n')) {
  const [, name, value] = /^export (\w+)='?(.*?)'?;?$/.exec(line) ?? [];
  if (name?.startsWith('LIBGUESTFS_')) standIn[name] = value;
}
const emulated = { ...plain, LIBGUESTFS_BACKEND: 'direct', LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg' };

/** Runs a program; seconds that passed. `mayFail`: its exit status is not looked at. */
function once(command, { env = plain, input = '', mayFail = false } = {}) {
  const [program, ...rest] = command;
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(program, rest, { env, input, encoding: 'utf8', cwd: work });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0 && !mayFail) throw new Error(`${command.join(' ')}: exit ${status}: ${stderr.slice(-300)}`);
  return { seconds, stdout };
}

/** The lowest times of several commands that are run in turn, so that a busy moment of the machine meets all of them. */
function lowest(commands) {
  const best = commands.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < runs; round++)
    for (const [i, [command, options]] of commands.entries()) best[i] = Math.min(best[i], once(command, options).seconds);
  return best;
}

const rows = [];
function row(name, figure, goal, ok) {
  rows.push({ name, figure, goal, ok });
  console.log(`${ok ? 'ok  ' : 'MISS'} ${name}: ${figure} (goal ${goal})`);
}
const milliseconds = (seconds) => `${(seconds * 1000).toFixed(0)} ms`;

const list = ['guestfish', '--ro', '-a', image, 'run', ':', 'list-filesystems'];
// What the client does by itself: all of the same, but what it starts at the launch ends at once.
const withoutNode = { ...standIn, GUESTLESS_NODE: '/bin/false' };
const [node, client, listing, fish] = lowest([
  [['node', '-e', '0']],
  [list, { env: withoutNode, mayFail: true }],
  [list, { env: standIn }],
  [[guestless, 'fish', '--ro', '-a', image, '-i', 'cat', '/etc/os-release']],
]);
const above = listing - client - node;
row(
  'guestfish `run : list-filesystems`',
  `${milliseconds(listing)}, ${milliseconds(above)} above the client alone (${milliseconds(client)}) and \`node -e 0\` (${milliseconds(node)})`,
  '≤ 150 ms above',
  above <= 0.15,
);
row(
  '`guestless fish -i cat /etc/os-release`',
  `${milliseconds(fish)}, ${milliseconds(fish - node)} above \`node -e 0\``,
  '≤ 150 ms above',
  fish - node <= 0.15,
);

const pings = (count) => [['guestfish', '-a', '/dev/null'], { env: standIn, input: `run\n${'ping-daemon\n'.repeat(count)}` }];
const [none, many] = lowest([pings(0), pings(PINGS)]);
row(`${PINGS.toLocaleString('en')} pings`, `${(many - none).toFixed(2)} s`, '≤ 1 s', many - none <= 1);

// A process that guestfish starts is a child of it, as is the shell that asks for the children.
const memory = `!sed -n 's/^VmHWM:/peak/p' /proc/$(pgrep -P $PPID -f '[a]ppliance serve')/status`;
const big = path.join(work, 'big');
const bytes = Buffer.alloc(SIZE);
for (let i = 0, state = 1; i < SIZE; i += 4) bytes.writeInt32LE((state = Math.imul(state, 1664525) + 1013904223) | 0, i);
fs.writeFileSync(big, bytes);
let [up, save, down, peak] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
for (let round = 0; round < Math.min(runs, 5); round++) {
  for (const name of ['disk', 'out']) fs.rmSync(path.join(work, name), { force: true });
  once(['mke2fs', '-q', '-t', 'ext4', 'disk', '1G']);
  const { stdout } = once(['guestfish', '-a', 'disk'], {
    env: standIn,
    input: `run\nmount /dev/sda /\ntime upload big /big\ntime sync\ntime download /big out\n${memory}\n`,
  });
  const times = [...stdout.matchAll(/elapsed time: ([\d.]+) seconds/g)].map((match) => Number(match[1]));
  up = Math.min(up, times[0]);
  save = Math.min(save, times[1]);
  down = Math.min(down, times[2]);
  peak = Math.max(peak, Number(/peak\s+(\d+) kB/.exec(stdout)?.[1] ?? Number.NaN) / 1024);
  if (!fs.readFileSync(path.join(work, 'out')).equals(bytes)) throw new Error('what was downloaded is not what was uploaded');
}
const rate = (seconds) => SIZE / 1e6 / seconds;
row('upload of 200 MiB', `${rate(up).toFixed(0)} MB/s (and ${save.toFixed(2)} s until it is in the image)`, '≥ 100 MB/s', rate(up) >= 100);
row('download of 200 MiB', `${rate(down).toFixed(0)} MB/s`, '≥ 100 MB/s', rate(down) >= 100);
row('memory of the stand-in meanwhile', `${peak.toFixed(0)} MiB at most`, '< 150 MiB', peak < 150);

const real =
  fs.globSync?.('/usr/lib/*/guestfs/supermin.d') ?? (fs.existsSync('/usr/lib/x86_64-linux-gnu/guestfs/supermin.d') ? ['there'] : []);
if (words.includes('--no-real')) console.log('the real appliance was not asked for');
else if (real.length === 0) console.log('the real appliance is not here');
else {
  const { seconds } = once(list, { env: emulated });
  const ratio = seconds / listing;
  row('the same listing by the real appliance, emulated', `${seconds.toFixed(1)} s, ${ratio.toFixed(0)} × as long`, '≥ 40 ×', ratio >= 40);
}

const table = ['| task | figure | goal |', '|---|---|---|']
  .concat(rows.map(({ name, figure, goal, ok }) => `| ${name} | ${figure}${ok ? '' : ' **(missed)**'} | ${goal} |`))
  .join('\n');
console.log(`\n${table}`);
if (words.includes('--write')) {
  const page = path.join(root, 'docs/performance.md');
  const text = fs.readFileSync(page, 'utf8');
  const version = once(['guestfish', '--version']).stdout.trim();
  const machine = `Node.js ${process.versions.node}, ${version}, ${os.cpus().length} × ${os.cpus()[0]?.model.trim()}, lowest of ${runs} runs, load average ${os.loadavg()[0].toFixed(1)} at the end.`;
  fs.writeFileSync(
    page,
    text.replace(
      /<!-- appliance -->[\s\S]*<!-- end of appliance -->/,
      () => `<!-- appliance -->\n${machine}\n\n${table}\n<!-- end of appliance -->`,
    ),
  );
}
process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;

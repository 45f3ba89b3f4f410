// Compares the tool with the real ones in the same run, as whole processes: node bench/run.js [--runs=N] [--write] [--no-real] [FILTER...]
// Needs .cache/debian (npm run fixtures:debian); the loop mount needs root. --write puts the table into docs/performance.md. Without a
// filter bench/appliance.js follows.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const debian = path.join(root, '.cache/debian');
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-bench-'));
process.on('exit', () => {
  spawnSync('umount', [path.join(work, 'mnt')], { stdio: 'ignore' });
  fs.rmSync(work, { recursive: true, force: true });
});
if (!fs.existsSync(path.join(debian, 'complete'))) {
  console.error('no .cache/debian: run `npm run fixtures:debian` first');
  process.exit(1);
}
const words = process.argv.slice(2);
const runs = Number(words.find((word) => word.startsWith('--runs='))?.slice('--runs='.length) ?? 5);
const filters = words.filter((word) => !word.startsWith('--'));
const guestless = path.join(root, 'guestless');
const image = (name) => path.join(debian, name);
const output = path.join(work, 'out.raw');

/** Runs a shell command; seconds of wall clock and peak memory in MiB. */
function once(command) {
  const start = performance.now();
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', 'PEAK %M', 'sh', '-c', command], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`${command}: exit ${status}: ${stderr.slice(-300)}`);
  return { seconds, peak: Number(/PEAK (\d+)/.exec(stderr)?.[1] ?? 0) / 1024 };
}

/** The lowest times of several commands, run in turn: a busy moment of the machine meets all of them, and spoils none for good. */
function measure(...commands) {
  const samples = commands.map(() => []);
  for (let round = 0; round < runs; round++) for (const [i, command] of commands.entries()) samples[i].push(once(command));
  return samples.map((sample) => ({ seconds: Math.min(...sample.map((s) => s.seconds)), peak: Math.max(...sample.map((s) => s.peak)) }));
}

const rows = [];
function row(name, ours, theirs, peer, goal, holds) {
  if (filters.length > 0 && !filters.some((filter) => name.includes(filter))) return;
  try {
    const [a, b] = measure(ours, theirs);
    const figure = holds(a.seconds, b.seconds, a.peak);
    rows.push({ name, ours: a.seconds, theirs: b.seconds, peer, figure: figure.text, goal, ok: figure.ok, peak: a.peak });
  } catch (error) {
    rows.push({ name, peer, figure: `failed: ${error.message.replaceAll('\n', ' ').slice(0, 120)}`, goal, ok: false });
  }
  const { ours: x, theirs: y, figure, ok } = rows.at(-1);
  console.log(`${ok ? 'ok  ' : 'MISS'} ${name}: ${figure}${x === undefined ? '' : ` (${x.toFixed(3)} s, ${peer} ${y.toFixed(3)} s)`}`);
}
const over = (milliseconds) => (a, b) => ({ text: `${((a - b) * 1000).toFixed(0)} ms more`, ok: (a - b) * 1000 <= milliseconds });
const atLeast = (ratio) => (a, b) => ({ text: `${(b / a).toFixed(2)} × its speed`, ok: b / a >= ratio });
const within = (ratio) => (a, b) => ({ text: `${(a / b).toFixed(2)} × its time`, ok: a / b <= ratio });

// The first run of the launcher may have to bundle.
spawnSync(guestless, ['--version'], { stdio: 'ignore' });
const zlib = image('zlib.qcow2');
for (const verb of [`filesystems ${zlib}`, `cat --partition 2 ${zlib} /etc/passwd`, `ls --partition 2 ${zlib} /etc`]) {
  row(verb.split(' ')[0], `${guestless} ${verb}`, 'node -e 0', '`node -e 0`', '≤ 40 ms more', over(40));
}

const mount = path.join(work, 'mnt');
fs.mkdirSync(mount);
if (spawnSync('mount', ['-o', `loop,ro,offset=${97 * 1048576}`, image('disk.raw'), mount]).status === 0) {
  row(
    'tar-out, raw',
    `${guestless} tar-out --partition 2 ${image('disk.raw')} / - | cat`,
    `tar -C ${mount} -cf - . | cat`,
    'tar over loop mount',
    '≥ 2',
    atLeast(2),
  );
  spawnSync('umount', [mount]);
} else console.log('no loop mount here: tar-out is compared with debugfs only');
const part = path.join(work, 'root.raw');
spawnSync('dd', [`if=${image('disk.raw')}`, `of=${part}`, 'bs=1M', 'skip=97', 'count=1900', 'conv=sparse', 'status=none']);
// 7z does not look into the partitions of a disk image, so both get the file system alone.
row('ls -lR', `${guestless} ls -lR --partition 0 ${part} /`, `7z l ${part}`, '`7z l`', '≥ 1', atLeast(1));
row(
  'tar-out, debugfs',
  `${guestless} tar-out --partition 0 ${part} / - | cat`,
  `rm -rf ${work}/rd; mkdir ${work}/rd; debugfs -R 'rdump / ${work}/rd' ${part}`,
  '`debugfs rdump`',
  '≥ 1',
  atLeast(1),
);
fs.rmSync(part);
fs.rmSync(path.join(work, 'rd'), { recursive: true, force: true });

for (const [kind, goal] of [
  ['plain', 1.3],
  ['zlib', 1.3],
  ['zstd', 2],
]) {
  row(
    `img convert, ${kind}`,
    `rm -f ${output}; ${guestless} img convert ${image(`${kind}.qcow2`)} ${output}`,
    `rm -f ${output}; qemu-img convert -O raw ${image(`${kind}.qcow2`)} ${output}`,
    '`qemu-img convert`',
    `≤ ${goal}`,
    within(goal),
  );
}
// Here the column of memory is what counts.
const huge = path.join(work, 'huge.qcow2');
fs.copyFileSync(path.join(root, 'fixtures/demo.qcow2'), huge);
spawnSync('qemu-img', ['resize', '-q', huge, '64T']);
for (const [name, command] of [
  ['checksum, chain', `checksum --partition 2 ${image('chain.qcow2')} /`],
  ['tar-out, zlib', `tar-out --partition 2 ${zlib} / /dev/null`],
  ['cat, 64 TiB', `cat --partition 2 ${huge} /etc/hostname`],
]) {
  row(name, `${guestless} ${command}`, 'node -e 0', '`node -e 0`', '< 150 MiB', (_ours, _theirs, peak) => ({
    text: 'memory',
    ok: peak < 150,
  }));
}

const table = [
  '| command | guestless | peer | figure | goal | peak memory |',
  '|---|---:|---:|---:|---|---:|',
  ...rows.map(({ name, ours, theirs, peer, figure, goal, ok, peak }) =>
    ours === undefined
      ? `| ${name} | | ${peer} | ${figure} | ${goal} | |`
      : `| ${name} | ${ours.toFixed(3)} s | ${theirs.toFixed(3)} s ${peer} | ${figure}${ok ? '' : ' **(missed)**'} | ${goal} | ${peak.toFixed(0)} MiB |`,
  ),
].join('\n');
console.log(`\n${table}`);
if (words.includes('--write')) {
  const page = path.join(root, 'docs/performance.md');
  const text = fs.readFileSync(page, 'utf8');
  const machine = `Node.js ${process.versions.node}, ${os.cpus().length} × ${os.cpus()[0]?.model.trim()}, lowest of ${runs} runs, load average ${os.loadavg()[0].toFixed(1)} at the end.`;
  fs.writeFileSync(
    page,
    text.replace(/<!-- table -->[\s\S]*<!-- end -->/, () => `<!-- table -->\n${machine}\n\n${table}\n<!-- end -->`),
  );
}
const good = rows.every(({ ok }) => ok);
// The stand-in under guestfish, where that is installed.
let standIn = true;
if (filters.length === 0 && spawnSync('guestfish', ['--version']).status === 0) {
  console.log('');
  const { status } = spawnSync(process.execPath, [path.join(import.meta.dirname, 'appliance.js'), ...words], { stdio: 'inherit' });
  standIn = status === 0;
}
process.exitCode = good && standIn ? 0 : 1;

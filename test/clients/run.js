// Unmodified clients of libguestfs over the stand-in, compared with what they said over libguestfs's own appliance.
//   node test/clients/run.js                      compares; the last line is `N passed, N failed`
//   node test/clients/run.js --record             asks libguestfs's own appliance (under TCG: minutes) and writes golden/
//   --only=CASE[,CASE]   --image=NAME             some of it
//   --other=IMAGE                                 compares both on any image of yours, without golden data
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { CASES } from './cases.js';

const root = path.resolve(import.meta.dirname, '../..');
const golden = path.join(import.meta.dirname, 'golden');
const fixtures = path.join(root, 'fixtures');
const option = (name) => process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
const only = option('only')?.split(',');
const record = process.argv.includes('--record');

/** Images by name, as the fixtures have them. */
const IMAGES = { demo: path.join(fixtures, 'demo.qcow2') };
const other = option('other');
if (other !== undefined) IMAGES.other = path.resolve(other);

const DUMP = `dump() {
  "${root}/guestless" ls -lR --uids "$1" / 2>/dev/null || "${root}/guestless" ls -lR "$1" /
  "${root}/guestless" checksum "$1" /
}
`;

const standin = spawnSync(path.join(root, 'guestless'), ['appliance', 'env'], { encoding: 'utf8' });
if (standin.status !== 0) throw new Error(`guestless appliance env: ${standin.stderr}`);
const STAND_IN = `${standin.stdout}\n`;
const REAL = 'export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg\nunset LIBGUESTFS_HV LIBGUESTFS_PATH\n';

function ask(real, { script }, image) {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-clients-'));
  try {
    const img = path.join(work, path.basename(image));
    fs.copyFileSync(image, img);
    const rw = path.join(work, `rw${path.extname(image)}`);
    fs.copyFileSync(image, rw);
    const out = path.join(work, 'out');
    fs.mkdirSync(out);
    const before = fs.readFileSync(img);
    const started = performance.now();
    const result = spawnSync('bash', ['-c', `${real ? REAL : STAND_IN}${DUMP}${script}`], {
      encoding: 'latin1',
      maxBuffer: 1 << 28,
      timeout: 900_000,
      env: {
        ...process.env,
        LC_ALL: 'C.UTF-8',
        TZ: 'UTC',
        IMG: img,
        RW: rw,
        OUT: out,
        FIXTURES: fixtures,
        HOME: work,
        PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
      },
    });
    const seconds = (performance.now() - started) / 1000;
    const text = `${result.stdout.replaceAll(work, 'WORK')}exit ${result.status ?? result.signal}\n`;
    const untouched = before.equals(fs.readFileSync(img));
    return { text, stderr: result.stderr, seconds, untouched };
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

/** The lines in which two texts differ. */
function difference(expected, actual) {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-diff-'));
  fs.writeFileSync(path.join(work, 'expected'), expected, 'latin1');
  fs.writeFileSync(path.join(work, 'actual'), actual, 'latin1');
  const { stdout } = spawnSync('diff', ['-aU1', 'expected', 'actual'], { cwd: work, encoding: 'latin1' });
  fs.rmSync(work, { recursive: true });
  return stdout.split('\n').slice(2, 60).join('\n');
}

let passed = 0;
let failed = 0;
for (const [name, image] of Object.entries(IMAGES)) {
  if (option('image') !== undefined && option('image') !== name) continue;
  for (const one of CASES) {
    if (only !== undefined && !only.includes(one.name)) continue;
    if (one.needs !== undefined && one.needs !== name) continue;
    const file = path.join(golden, name, `${one.name}.txt`);
    if (record) {
      const { text, stderr, seconds } = ask(true, one, image);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, text, 'latin1');
      console.log(
        `${name} ${one.name}: ${seconds.toFixed(0)} s, ${text.split('\n').length} lines${stderr === '' ? '' : `\n${stderr.slice(0, 600)}`}`,
      );
      continue;
    }
    const expected = name === 'other' ? ask(true, one, image).text : fs.readFileSync(file, 'latin1');
    const { text, stderr, seconds, untouched } = ask(false, one, image);
    const good = text === expected && untouched;
    if (good) passed++;
    else failed++;
    console.log(`${good ? 'ok  ' : 'FAIL'} ${name} ${one.name} (${seconds.toFixed(1)} s)`);
    if (!untouched) console.log('  the image was changed');
    if (text !== expected) console.log(`${difference(expected, text)}\n${stderr.slice(0, 1500)}`);
  }
}
if (!record) {
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  console.log(`${passed} passed, ${failed} failed`);
}

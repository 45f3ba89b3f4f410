// The same scripts through Debian's guestfish over the stand-in and through `guestless fish`: standard output and exit status have to be equal.
//   node test/clients/fish.js [--only=CASE,...]     the last line is `N passed, N failed`
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { CASES } from './cases.js';

const root = path.resolve(import.meta.dirname, '../..');
const fixtures = path.join(root, 'fixtures');
const image = path.join(fixtures, 'demo.qcow2');
const only = process.argv
  .find((word) => word.startsWith('--only='))
  ?.slice(7)
  .split(',');
const DUMP = `dump() { "${root}/guestless" ls -lR --uids "$1" /; "${root}/guestless" checksum "$1" /; }\n`;
const standIn = spawnSync(path.join(root, 'guestless'), ['appliance', 'env'], { encoding: 'utf8' }).stdout;
const tools = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-fish-tools-'));
fs.writeFileSync(path.join(tools, 'guestfish'), `#!/bin/sh\nexec "${root}/guestless" fish "$@"\n`, { mode: 0o755 });

function ask({ script }, ours) {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-clients-'));
  try {
    const [img, rw, out] = ['demo.qcow2', 'rw.qcow2', 'out'].map((name) => path.join(work, name));
    fs.copyFileSync(image, img);
    fs.copyFileSync(image, rw);
    fs.mkdirSync(out);
    const { stdout, status, stderr } = spawnSync('bash', ['-c', `${ours ? `PATH="${tools}:$PATH"` : standIn}\n${DUMP}${script}`], {
      encoding: 'latin1',
      maxBuffer: 1 << 28,
      timeout: 300_000,
      env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', IMG: img, RW: rw, OUT: out, FIXTURES: fixtures, HOME: work },
    });
    return { text: `${stdout.replaceAll(work, 'WORK')}exit ${status}\n`, stderr };
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

let passed = 0;
let failed = 0;
// Standard error has its own words; scripts that show it are compared with the real appliance elsewhere.
for (const one of CASES.filter(
  ({ name, script }) => /\bguestfish\b/.test(script) && !/\bvirt-|2>&1/.test(script) && (only?.includes(name) ?? true),
)) {
  const theirs = ask(one, false);
  const ours = ask(one, true);
  if (theirs.text === ours.text) passed++;
  else failed++;
  console.log(`${theirs.text === ours.text ? 'ok  ' : 'FAIL'} ${one.name}`);
  if (theirs.text === ours.text) continue;
  for (const [name, { text }] of Object.entries({ expected: theirs, actual: ours }))
    fs.writeFileSync(path.join(tools, name), text, 'latin1');
  const { stdout } = spawnSync('diff', ['-aU1', 'expected', 'actual'], { cwd: tools, encoding: 'latin1' });
  console.log(`${stdout.split('\n').slice(2, 60).join('\n')}\n${ours.stderr.slice(0, 1500)}`);
}
fs.rmSync(tools, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

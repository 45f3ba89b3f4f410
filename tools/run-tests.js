// All checks and tests, one after the other, each with its time; the last line is `N passed, N failed` over everything.
//   node tools/run-tests.js [--only=STEP[,STEP]]      steps: build types format layers computations test node22 node24
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
process.chdir(root);
const bin = (name) => path.join(root, 'node_modules', '.bin', name);
const cache = path.join(root, '.cache');
fs.mkdirSync(cache, { recursive: true });

/** Other versions of Node.js that the unit tests must pass on, as npm packages. */
const OTHER_NODES = { node22: '22.23.3', node24: '24.21.0' };
/** What needs no real tool and depends on the platform beneath: run on the other versions as well. */
const UNIT_TESTS = [
  'test/bytes',
  'test/io',
  'test/platform',
  'test/codec',
  'test/image',
  'test/qcow2',
  'test/partition',
  'test/ext4',
  'test/vfat',
];

let passed = 0;
let failed = 0;

function run(command, parameters) {
  const { status, signal, error } = spawnSync(command, parameters, { stdio: 'inherit' });
  if (error !== undefined) console.error(error.message);
  if (signal !== null) console.error(`${command} was ended by ${signal}`);
  return status === 0;
}

/** A step that passes or fails as a whole. */
function check(command, ...parameters) {
  return () => (run(command, parameters) ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
}

/** A run of vitest; its tests are counted by its own report. No report, or a failure outside of any test, is a failure too. */
function suite(name, node, folders) {
  const report = path.join(cache, `report-${name}.json`);
  fs.rmSync(report, { force: true });
  const parameters = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...folders];
  const ok = run(node, [path.join(root, 'node_modules/vitest/vitest.mjs'), ...parameters]);
  let counts = { passed: 0, failed: 0 };
  try {
    const { numPassedTests, numTotalTests } = JSON.parse(fs.readFileSync(report, 'utf8'));
    // What neither passed nor failed was skipped or left to do: it proves nothing, so it counts as failed.
    counts = { passed: numPassedTests, failed: numTotalTests - numPassedTests };
  } catch (error) {
    console.error(`no report of the tests: ${error.message}`);
  }
  if ((!ok || counts.passed === 0) && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** Another Node.js from npm, kept in .cache. */
function otherNode(name) {
  const version = OTHER_NODES[name];
  const folder = path.join(cache, `${name}-${version}`);
  const binary = path.join(folder, 'node_modules/node/bin/node');
  const works = () => spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout?.trim() === `v${version}`;
  if (!works()) {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'package.json'), '{"private":true}');
    run('npm', ['install', '--silent', '--prefix', folder, `node@${version}`]);
    if (!works()) throw new Error(`node@${version} cannot be installed from npm`);
  }
  return binary;
}

function suiteOn(name) {
  return () => {
    const folders = UNIT_TESTS.filter((folder) => fs.existsSync(folder));
    return suite(name, otherNode(name), folders);
  };
}

const steps = {
  build: check('npm', 'run', '--silent', 'build'),
  types: check('npm', 'run', '--silent', 'check'),
  format: check(bin('biome'), 'ci', '.'),
  layers: check(bin('depcruise'), '--config', 'tools/layers.cjs', 'src'),
  computations: check(process.execPath, 'tools/no-dropped-io.js'),
  test: () => suite('test', process.execPath, []),
  node22: suiteOn('node22'),
  node24: suiteOn('node24'),
};

const only = process.argv
  .find((word) => word.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',');
const unknown = only?.filter((name) => !(name in steps)) ?? [];
if (unknown.length > 0) {
  console.error(`no such step: ${unknown.join(', ')}; there are ${Object.keys(steps).join(', ')}`);
  process.exit(2);
}

const summary = [];
for (const [name, step] of Object.entries(steps)) {
  if (only !== undefined && !only.includes(name)) continue;
  console.log(`\n== ${name}`);
  const start = performance.now();
  let counts;
  try {
    counts = step();
  } catch (error) {
    console.error(error.message);
    counts = { passed: 0, failed: 1 };
  }
  passed += counts.passed;
  failed += counts.failed;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  summary.push(`${name.padEnd(14)}${seconds.padStart(7)} s  ${counts.passed} passed, ${counts.failed} failed`);
}
console.log(`\n${summary.join('\n')}\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
console.log(`${passed} passed, ${failed} failed`);

// Completes package-lock.json after `npm install` against a registry that mirrors only one platform: binaries for other platforms
// (optional dependencies of the bundler and the linter) are then missing from the lock file, and newer versions of `npm ci` refuse
// such a file. Their entries say what is known without the registry: exact version, system and processor.
import * as fs from 'node:fs';

const file = 'package-lock.json';
const lock = JSON.parse(fs.readFileSync(file, 'utf8'));
const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32', 'wasi'];
const PROCESSORS = new Map([
  ['arm', /-arm-/],
  ['arm64', /arm64/],
  ['ia32', /ia32/],
  ['ppc64', /ppc64/],
  ['s390x', /s390x/],
  ['riscv64', /riscv64/],
  ['wasm32', /wasm32/],
  ['x64', /x64/],
]);

for (const [owner, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const hoisted = `node_modules/${name}`;
    const nested = `${owner}/${hoisted}`;
    const exact = /^\d/.test(version);
    if (nested in lock.packages || lock.packages[hoisted]?.version === version || (hoisted in lock.packages && !exact)) continue;
    if (!exact) throw new Error(`${name}@${version}, wanted by ${owner}, is no exact version`);
    const place = hoisted in lock.packages ? nested : hoisted;
    const system = SYSTEMS.find((candidate) => name.includes(`-${candidate}`));
    const processor = [...PROCESSORS].find(([, pattern]) => pattern.test(`${name}-`))?.[0];
    lock.packages[place] = {
      version,
      ...(processor === undefined ? {} : { cpu: [processor] }),
      ...(dev ? { dev: true } : {}),
      optional: true,
      ...(system === undefined || system === 'wasi' ? {} : { os: [system] }),
    };
    if (system === undefined && processor === undefined) console.error(`${name}: no platform in its name`);
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
fs.writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);

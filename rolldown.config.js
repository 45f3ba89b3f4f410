// Bundles the command line tool, the shell and the stand-in: one file each, which tools/entry.cjs starts from compiled code. Chunks by dynamic import were slower (each
// costs a millisecond or two, compiled code none) and could wait for each other in a circle.
import * as fs from 'node:fs';
import * as path from 'node:path';

const target = 'dist/bundle';

/**
 * Takes Node.js's own modules as they are. The usual wrapping touches every export of a module, which makes node:process open the
 * standard streams and node:crypto load WebCrypto: some milliseconds of each start.
 */
const builtinModules = {
  name: 'builtin-modules',
  renderChunk: (code) => {
    return code.replace(/^(\w+) = __toESM\(\1(?:, 1)?\);$/gm, (line, name) => (code.includes(`${name}.default`) ? line : ''));
  },
};

const programs = ['main', 'fish', 'appliance'];

/** All in ASCII, so that the entry may read it as Latin-1, which takes no decoding. */
const ascii = (program) => ({
  name: 'ascii',
  writeBundle() {
    const main = path.join(target, `${program}.cjs`);
    const ascii = fs.readFileSync(main, 'utf8').replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
    fs.writeFileSync(main, ascii);
  },
});

/** The entry goes beside the bundles; compiled code of the bundles of before goes. */
const entry = {
  name: 'entry',
  writeBundle() {
    fs.copyFileSync('tools/entry.cjs', path.join(target, 'guestless.cjs'));
    fs.chmodSync(path.join(target, 'guestless.cjs'), 0o755);
    for (const name of fs.readdirSync(target)) {
      if (!/^(stamp(\.\d+)?|(main|fish|appliance|guestless)\.cjs|copy-worker\.cjs)$/.test(name))
        fs.rmSync(path.join(target, name), { recursive: true, force: true });
    }
  },
};

const shared = {
  platform: 'node',
  tsconfig: 'tsconfig.node.json',
  transform: { target: 'node20' },
  // package.json says that no module has side effects, which holds for the library and not for the tool's own start.
  treeshake: { moduleSideEffects: [{ test: /[/\\](src[/\\]cli[/\\]|node_modules[/\\]|copy-worker[.]ts$)/, sideEffects: true }] },
  output: { dir: target, format: 'cjs', entryFileNames: '[name].cjs', comments: false, codeSplitting: false },
  checks: { bundlerTimings: false, pluginTimings: false },
};

export default [
  // The thread that helps converting images.
  { ...shared, input: { 'copy-worker': 'src/platform/node/copy-worker.ts' }, plugins: [builtinModules] },
  ...programs.map((program) => ({
    ...shared,
    input: { [program]: program === 'main' ? 'src/cli/main.ts' : `src/cli/${program}-main.ts` },
    plugins: [builtinModules, ascii(program), ...(program === programs.at(-1) ? [entry] : [])],
  })),
];

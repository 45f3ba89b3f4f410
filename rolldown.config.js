// Bundles the command line tool: one small entry, chunks by dynamic import, nothing that a verb does not need is even parsed.
import * as fs from 'node:fs';
import * as path from 'node:path';

const target = 'dist/bundle';
/** Chunks are named by content and stay for a while: a process that runs on the bundle of before may still want one. */
const KEEP_OLD_CHUNKS_MS = 3_600_000;

const besideTheBundle = {
  name: 'beside-the-bundle',
  writeBundle(_options, bundle) {
    fs.copyFileSync('node_modules/@bokuweb/zstd-wasm/dist/common/zstd.wasm', path.join(target, 'zstd.wasm'));
    fs.chmodSync(path.join(target, 'guestless.js'), 0o755);
    for (const name of fs.readdirSync(target)) {
      const file = path.join(target, name);
      if (/\.js(\.map)?$/.test(name) && !(name in bundle) && Date.now() - fs.statSync(file).mtimeMs > KEEP_OLD_CHUNKS_MS) fs.rmSync(file);
    }
  },
};

export default {
  input: { guestless: 'tools/entry.js' },
  platform: 'node',
  tsconfig: 'tsconfig.node.json',
  // zstd-wasm looks for zstd.wasm beside itself, which is beside the bundle.
  transform: { define: { __dirname: 'import.meta.dirname' }, target: 'node20' },
  // package.json says that no module has side effects, which holds for the library and not for the tool's own start.
  treeshake: { moduleSideEffects: [{ test: /[/\\](src[/\\]cli|node_modules)[/\\]/, sideEffects: true }] },
  output: { dir: target, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js', comments: false },
  checks: { bundlerTimings: false, pluginTimings: false, emptyImportMeta: false },
  plugins: [besideTheBundle],
};

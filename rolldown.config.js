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

/**
 * Takes Node.js's own modules without importing them: an import statement touches all exports of a module, which makes node:process open
 * the standard streams and node:crypto load WebCrypto. Saves some 10 ms of each start.
 */
const builtinModules = {
  name: 'builtin-modules',
  renderChunk: (code) =>
    code
      .replace(/^import (?:\* as )?process from "node:process";$/gm, '')
      .replace(/^import (?:\* as )?(\w+) from "(node:[\w/]+)";$/gm, 'const $1 = process.getBuiltinModule("$2");')
      .replace(/^import \{([^}]*)\} from "(node:[\w/]+)";$/gm, (_, names, name) => {
        return `const {${names.replace(/ as /g, ':')}} = process.getBuiltinModule("${name}");`;
      }),
};

/** What every short call needs, in one chunk: each chunk of its own costs a millisecond or two. The rest comes by dynamic import. */
const core = {
  name: 'core',
  test: /src[/\\](errors|bytes|io|codec|qcow2|image|partition|filesystem|ext4|vfat|cli|platform[/\\]node[/\\](file|codecs)\.|commands[/\\](cat|ls|filesystems|open|output|invocation|options|table|declaration|suggest|damage|shown-path|file-text|accounts|image[/\\]index)\.|guest[/\\](disk|tree|walk|directory|mounts|path|registry|resolve|file-data)\.|guest[/\\]inspect[/\\](systems|classify|devices|fstab|probe|shell-words)\.)/,
};

export default {
  input: { guestless: 'tools/entry.js' },
  platform: 'node',
  tsconfig: 'tsconfig.node.json',
  // zstd-wasm looks for zstd.wasm beside itself, which is beside the bundle.
  transform: { define: { __dirname: 'import.meta.dirname' }, target: 'node20' },
  // package.json says that no module has side effects, which holds for the library and not for the tool's own start.
  treeshake: { moduleSideEffects: [{ test: /[/\\](src[/\\]cli|node_modules)[/\\]/, sideEffects: true }] },
  output: {
    dir: target,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    comments: false,
    advancedChunks: { groups: [core] },
    minify: {
      compress: true,
      mangle: { toplevel: true, keepNames: { function: false, class: true } },
      codegen: { removeWhitespace: true },
    },
  },
  checks: { bundlerTimings: false, pluginTimings: false, emptyImportMeta: false },
  plugins: [builtinModules, besideTheBundle],
};

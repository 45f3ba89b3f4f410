/** Builds the page into dist/web: static files with relative addresses, a list of them for working offline, and the bundled images. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const DEMO = ['demo.qcow2', 'demo-overlay.qcow2'];

/** Adds the bundled images, and the service worker with the names of all files. */
function offline(): Plugin {
  return {
    name: 'offline',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        for (const name of DEMO)
          this.emitFile({ type: 'asset', fileName: `demo/${name}`, source: fs.readFileSync(here(`../fixtures/${name}`)) });
        const names = [...new Set([...Object.keys(bundle), ...DEMO.map((name) => `demo/${name}`), 'icon.svg'])].sort();
        const hash = createHash('sha256');
        for (const name of names) {
          const file = bundle[name];
          hash.update(name).update(file === undefined ? '' : file.type === 'chunk' ? file.code : file.source);
        }
        const source = fs
          .readFileSync(here('service-worker.js'), 'utf8')
          .replace('__VERSION__', hash.digest('hex').slice(0, 16))
          .replace('__FILES__', () => JSON.stringify(['./', ...names.map((name) => `./${name}`)]));
        this.emitFile({ type: 'asset', fileName: 'sw.js', source });
      },
    },
  };
}

export default defineConfig({
  root: here('.'),
  base: './',
  build: { outDir: here('../dist/web'), emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  worker: { format: 'es' },
  plugins: [offline()],
});

/** docs/testing.md tells the truth: its example runs as it stands, and finds a bug when there is one. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { scratchFolder } from '../support/images.ts';
import { must } from '../support/oracle.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const folder = scratchFolder('guestless-testing-');

/** The example as a module, its imports pointing at the sources. */
function example(change: (text: string) => string = (text) => text): string {
  const page = fs.readFileSync(path.join(ROOT, 'docs/testing.md'), 'utf8');
  const code = /^```js\n(.*?)^```/ms.exec(page)?.[1] ?? '';
  const linked = change(code)
    .replaceAll(/'guestless\/(\w+)'/g, (_, room: string) => JSON.stringify(path.join(ROOT, 'src', room, 'index.ts')))
    .replace("'fast-check'", JSON.stringify(path.join(ROOT, 'node_modules/fast-check/lib/fast-check.js')));
  const file = path.join(fs.mkdtempSync(path.join(folder, 'm-')), 'example.mjs');
  fs.writeFileSync(file, linked);
  return pathToFileURL(file).href;
}

interface Example {
  fuzz(image: Uint8Array, seed: number): number;
}

describe('the example of docs/testing.md', () => {
  let image: Uint8Array;
  beforeAll(() => {
    const file = path.join(folder, 'fat.img');
    must('mkfs.vfat', '--invariant', '-C', file, '720');
    image = new Uint8Array(fs.readFileSync(file));
  });

  test('runs, and its disk fails many times without harm', async () => {
    const { fuzz } = (await import(/* @vite-ignore */ example())) as Example;
    expect(fuzz(image, 42)).toBeGreaterThan(25);
  });

  test('finds a file system that does what the model does not', async () => {
    const broken = example((text) => text.replace('[fat, before].map', '[fat, { ...before, __proto__: before, root: 99 }].map'));
    const { fuzz } = (await import(/* @vite-ignore */ broken)) as Example;
    expect(() => fuzz(image, 42)).toThrow();
  });
});

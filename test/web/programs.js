// Programs of WASI in the page: the same output and the same disk as by the command line.
import * as assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { complaintsOf, makeDisk, makeTree, tool } from './images.js';
import { at, guestless, once, ROOT, test } from './runner.js';
import { goTo, openDemo, openFiles, row, save, shot, text, withPage } from './user.js';

const WASI = path.join(ROOT, 'test/wasi/node_modules');
const ESBUILD = path.join(WASI, '@esbuild/wasi-preview1/esbuild.wasm');

const ripgrep = once(async () => {
  const { getCompressedBytes } = await import(path.join(WASI, 'ripgrep/lib/_rg.wasm.mjs'));
  fs.writeFileSync(at('rg.wasm'), brotliDecompressSync(getCompressedBytes()));
  return at('rg.wasm');
});

/** A module of which `_start` has these instructions, and one page of memory. */
function moduleOf(...code) {
  const section = (id, ...content) => [id, content.length, ...content];
  const name = (word) => [word.length, ...Buffer.from(word)];
  return Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 0, 0),
    ...section(3, 1, 0),
    ...section(5, 1, 0, 1),
    ...section(7, 2, ...name('_start'), 0, 0, ...name('memory'), 2, 0),
    ...section(10, 1, code.length + 2, 0, ...code, 0x0b),
  ]);
}

const FOREVER = moduleOf(0x03, 0x40, 0x0c, 0, 0x0b);
const TRAP = moduleOf(0x00);

async function runIn(page, program, words) {
  await page.click('#tab-program');
  await page.setInputFiles('[data-testid=program-file]', program);
  await page.fill('.program [aria-label=Arguments]', words);
  await page.click('.program button.primary');
  await page.waitForSelector('.program-end');
  return {
    output: (await page.locator('[data-testid=program-output] pre').allInnerTexts()).join(''),
    end: await page.textContent('.program-end'),
  };
}

const sorted = (lines) =>
  lines
    .split('\n')
    .filter((line) => line !== '')
    .sort();

test('a program reads the disk: ripgrep finds in a chain what it finds by the command line', () =>
  withPage(async (page) => {
    await openDemo(page);
    const words = ['-n', '--hidden', '--no-ignore', '--text', 'root|bookworm|demo', '/etc', '/usr/lib'];
    const { output, end } = await runIn(page, await ripgrep(), words.map((word) => `'${word}'`).join(' '));
    const theirs = guestless('wasi', path.join(ROOT, 'fixtures/demo-overlay.qcow2'), await ripgrep(), ...words);
    assert.deepEqual(sorted(output), sorted(theirs));
    assert.ok(sorted(output).length > 3);
    assert.match(end, /status 0/);
    await shot(page, 'program');
    await page.click('#tab-changes');
    await page.waitForSelector('text=Nothing was changed yet');
  }));

test('under `guestless web`, with its stricter headers, compressed disks are read and programs run', async () => {
  const server = spawn(path.join(ROOT, 'guestless'), ['web', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const address = await new Promise((resolve, reject) => {
      server.stdout.on('data', (text) => resolve(/http:\S+/.exec(text)?.[0]));
      server.on('exit', (status) => reject(new Error(`guestless web ended with ${status}`)));
    });
    tool(
      'qemu-img',
      'convert',
      '-c',
      '-O',
      'qcow2',
      '-o',
      'compression_type=zstd',
      path.join(ROOT, 'fixtures/demo.qcow2'),
      at('zstd.qcow2'),
    );
    await withPage(async (page) => {
      await page.goto(address);
      await openFiles(page, at('zstd.qcow2'));
      const { output } = await runIn(page, await ripgrep(), '-N PRETTY_NAME /usr/lib');
      assert.match(output, /Debian GNU\/Linux 12/);
    });
  } finally {
    server.kill();
  }
});

test('a program reads a disk on a web server', () =>
  withPage(async (page, site) => {
    await page.fill('#address', `${site.url}/images/chain.qcow2`);
    await page.click('form.url button');
    await page.waitForSelector('.overview .drawing');
    const { output } = await runIn(page, await ripgrep(), '-N PRETTY_NAME /etc/os-release /usr/lib');
    assert.match(output, /Debian GNU\/Linux 12/);
  }));

test('a program writes into the changes, on top of those before it, and real tools accept the disk', () =>
  withPage(async (page) => {
    const base = at('program.raw');
    const tree = makeTree(at('program-tree'));
    fs.mkdirSync(path.join(tree, 'srv/lib'), { recursive: true });
    fs.writeFileSync(path.join(tree, 'srv/a.ts'), "import { b } from './lib/b';\nconsole.log(b satisfies number);\n");
    fs.writeFileSync(path.join(tree, 'srv/lib/b.ts'), 'export const b: number = 41;\n');
    makeDisk(base, 96 << 20, tree);
    const before = tool('sha256sum', base);
    await openFiles(page, base);
    // An edit first: the program has to see it.
    await goTo(page, 'srv', 'lib', 'b.ts');
    assert.match(await text(page), /41/);
    await page.click('.preview-head >> text=Edit');
    await page.fill('.editor textarea', 'export const b: number = 42;\n');
    await page.click('text=Keep the change');
    await page.waitForSelector('[data-testid=text]:has-text("42")');
    const { end } = await runIn(page, ESBUILD, '/srv/a.ts --bundle --outfile=/srv/out.js --log-level=error');
    assert.match(end, /status 0.*See what it changed/s);
    await page.click('text=See what it changed');
    await page.waitForSelector('.result.added:has-text("/srv/out.js")');
    await page.waitForSelector('.result.changed:has-text("/srv/lib/b.ts")');
    await goTo(page, 'out.js');
    assert.match(await text(page), /42/);
    await save(page, 'raw', at('program-after.raw'));
    assert.deepEqual(complaintsOf(at('program-after.raw'), at('partition.raw')), []);
    fs.writeFileSync(at('out.mjs'), guestless('cat', at('program-after.raw'), '/srv/out.js'));
    assert.equal(execFileSync('node', [at('out.mjs')], { encoding: 'utf8' }), '42\n');
    assert.equal(tool('sha256sum', base), before);
  }));

test('a program that never ends is stopped, and the changes before it stay; bad programs are told of', () =>
  withPage(async (page) => {
    await openDemo(page);
    await page.click('#tab-shell');
    await page.fill('#command', 'write /root/before "still here"');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#command:not([disabled])');
    fs.writeFileSync(at('forever.wasm'), FOREVER);
    await page.click('#tab-program');
    await page.setInputFiles('[data-testid=program-file]', at('forever.wasm'));
    await page.click('.program button.primary');
    await page.waitForSelector('text=It runs…');
    // Meanwhile the disk can be looked at.
    await goTo(page, 'root', 'before');
    assert.match(await text(page), /still here/);
    await page.click('#tab-program');
    await page.click('.program >> text=Stop');
    await page.waitForSelector('.program-end:has-text("stopped")');
    // One that lies in the guest.
    fs.writeFileSync(at('trap.wasm'), TRAP);
    // The folder is open: the first click closes it.
    await goTo(page, 'root', 'root');
    await page.setInputFiles('[data-testid=upload]', at('trap.wasm'));
    await row(page, 'trap.wasm').click();
    await page.click('.toolbar >> text=Run…');
    await page.click('.program button.primary');
    await page.waitForSelector('.program-end:has-text("the program failed: unreachable")');
    assert.match((await runIn(page, at('trap.wasm'), '')).end, /the program failed: unreachable/);
    fs.writeFileSync(at('text.wasm'), 'not a program');
    assert.match((await runIn(page, at('text.wasm'), '')).end, /no program of WASI preview 1/);
    await page.fill('.program [aria-label=Arguments]', '"open');
    await page.click('.program button.primary');
    await page.waitForSelector('[role=alert]:has-text("quote")');
    await goTo(page);
    await row(page, 'before').click();
    assert.match(await text(page), /still here/);
    await page.click('#tab-changes');
    await page.waitForSelector('.result.added:has-text("/root/before")');
  }));

// Every image of fixtures/, one after the other on one page: what qemu-img and the command line read, the page shows; what they refuse, it
// says in a sentence.
import * as assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { tool } from './images.js';
import { at, guestless, ROOT, test } from './runner.js';
import { row, text, withPage } from './user.js';

const FIXTURES = path.join(ROOT, 'fixtures');
/** Nothing of the kind may be read on the page. */
const MISTAKE = /mistake of guestless|undefined|NaN|\[object|TypeError|RangeError/;

/** The images of a folder, unpacked: their paths by name. */
function unpack(folder, wanted) {
  const target = at(`fixtures-${folder}`);
  fs.mkdirSync(target, { recursive: true });
  const found = new Map();
  for (const packed of fs.readdirSync(path.join(FIXTURES, folder)).filter((file) => wanted.test(file))) {
    const name = packed.replace(/\.gz$/, '');
    fs.writeFileSync(path.join(target, name), gunzipSync(fs.readFileSync(path.join(FIXTURES, folder, packed))));
    // Most of them are made of zeros.
    tool('fallocate', '-d', path.join(target, name));
    found.set(name, path.join(target, name));
  }
  assert.ok(found.size > 0, folder);
  return found;
}

/** Opens files in place of what was open. Returns what the page says when it refuses. */
async function openInstead(page, ...files) {
  const close = page.locator('[aria-label="Close the image"]');
  if ((await close.count()) > 0) await close.click();
  await page.setInputFiles('[data-testid=file-input]', files);
  await page.waitForSelector('.overview .drawing, .start .problem');
  const problem = page.locator('.start .problem');
  const refusal = (await problem.count()) > 0 ? await problem.textContent() : undefined;
  const all = refusal ?? (await page.locator('main').textContent());
  assert.doesNotMatch(all, MISTAKE);
  assert.equal(await page.locator('.notice').count(), 0, 'no notice');
  return refusal;
}

/** One line in the shell of the page. */
async function inShell(page, line) {
  await page.click('#tab-shell');
  await page.fill('#command', line);
  await page.keyboard.press('Enter');
  await page.waitForFunction((wanted) => {
    const lines = [...document.querySelectorAll('.log pre')];
    return lines.at(-2)?.textContent.includes(wanted) && !document.querySelector('#command').disabled;
  }, line);
  return (await page.locator('.log pre').last().textContent()).trim();
}

test('each qcow2 fixture has on the page the bytes that qemu-img reads', async () => {
  const golden = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'qcow2/golden.json'), 'utf8'));
  const files = unpack('qcow2', /\.(qcow2|raw)\.gz$/);
  const withOthers = {
    'data.qcow2': ['data.raw'],
    'data-raw.qcow2': ['data2.raw'],
    'extl2-backed.qcow2': ['v3.qcow2'],
    'extl2-prealloc.qcow2': ['v3.qcow2'],
    'middle.qcow2': ['base.raw'],
    'name-file.qcow2': ['base.raw'],
    'name-json.qcow2': ['middle.qcow2', 'base.raw'],
    'top.qcow2': ['base.raw', 'middle.qcow2'],
    'shorter.qcow2': ['top.qcow2', 'middle.qcow2', 'base.raw'],
  };
  const refused = {
    'aes.qcow2': /encrypt/,
    'luks.qcow2': /encrypt/,
    'name-missing.qcow2': /needs the file "missing\.qcow2".*choose it too/,
    'name-nbd.qcow2': /nbd/,
  };
  let read = 0;
  await withPage(async (page) => {
    for (const [name, { sha256, info }] of Object.entries(golden)) {
      const others = (withOthers[name] ?? []).map((other) => files.get(other));
      const refusal = await openInstead(page, ...[files.get(name), ...others].sort());
      if (refused[name] !== undefined) {
        assert.match((await page.locator('.problem').allTextContents()).join('\n'), refused[name], name);
        continue;
      }
      if (refusal !== undefined || sha256 === null || sha256 === undefined || info['virtual-size'] === 0) {
        assert.ok(sha256 === null || sha256 === undefined || info['virtual-size'] === 0, `${name}: ${refusal}`);
        continue;
      }
      assert.equal(await inShell(page, 'checksum-device sha256 /dev/sda'), sha256, name);
      read++;
    }
    // The same disk, compressed as a whole.
    for (const kind of ['gz', 'xz', 'zst', 'lz4']) {
      assert.equal(await openInstead(page, path.join(FIXTURES, `qcow2/whole.${kind}`)), undefined);
      assert.equal(await inShell(page, 'checksum-device sha256 /dev/sda'), golden['zlib-64k.qcow2'].sha256, kind);
      read++;
    }
  });
  return `${read} read, ${Object.keys(refused).length} refused with a sentence`;
});

/** The paths that the command line finds, `-m` naming what the page shows; undefined when it refuses. */
async function findByCommand(image, options) {
  try {
    const { stdout } = await promisify(execFile)(path.join(ROOT, 'guestless'), ['find', '-0', ...options, image], {
      maxBuffer: 64 << 20,
      encoding: 'buffer',
    });
    return stdout.toString('utf8').split('\0').slice(0, -1);
  } catch {
    return undefined;
  }
}

const isPlain = (name) => /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(name);

/** What the page shows: how many paths there are, and the plain names that are in sight at the root. */
async function whatIsShown(page) {
  await page.click('#tab-files');
  await page.waitForSelector('[role=treeitem], main.empty');
  if ((await page.locator('main.empty').count()) > 0) return undefined;
  await page.waitForFunction(() => document.querySelector('[role=treeitem] .column.size')?.textContent !== '');
  const names = await page.locator('[role=treeitem][aria-level="2"] .name > bdi:first-child').allTextContents();
  await page.fill('[type=search]', '*');
  await page.keyboard.press('Enter');
  const state = page.locator('.search [role=status]', { hasText: /^\d+ found$|^The first \d+ are shown$/ });
  const count = Number(/\d+/.exec(await state.textContent())[0]);
  await page.fill('[type=search]', '');
  return { count, names };
}

/** Opens an image on the page and by the command line, and compares. Returns what both show, or undefined when neither can. */
async function compare(page, name, image) {
  const refusal = await openInstead(page, image);
  const shown = refusal === undefined ? await whatIsShown(page) : undefined;
  const root = shown === undefined ? undefined : await page.inputValue('.side-head select');
  const device = ['-m', root?.slice(3) ?? '/dev/sda'];
  // Of several systems the page shows the first; the command line wants to be told.
  const paths = root?.startsWith('fs:')
    ? await findByCommand(image, device)
    : ((await findByCommand(image, [])) ?? (await findByCommand(image, device)));
  if (shown === undefined) {
    assert.equal(paths, undefined, `${name}: the command line reads it, and the page says: ${refusal ?? 'no file system'}`);
    return undefined;
  }
  assert.ok(paths !== undefined, `${name}: the page shows what the command line refuses`);
  assert.equal(shown.count, Math.min(paths.length - 1, 5000), `${name}: paths`);
  const expected = new Set(paths.filter((one) => one.lastIndexOf('/') === 0 && one !== '/').map((one) => one.slice(1)));
  for (const one of shown.names.filter(isPlain)) assert.ok(expected.has(one) || one.includes('\\'), `${name}: ${one}`);
  assert.ok(shown.names.length >= Math.min(expected.size, 15), `${name}: ${shown.names.length} names of ${expected.size}`);
  return paths;
}

/** Finds a file by its name, and compares its text. */
async function compareText(page, image, file) {
  await page.fill('[type=search]', file.slice(file.lastIndexOf('/') + 1));
  await page.keyboard.press('Enter');
  await page.locator('.result', { has: page.locator(`bdi:text-is("${file}")`) }).click();
  await page.waitForSelector('.crumbs [aria-current]');
  assert.equal((await text(page)).trimEnd(), guestless('cat', image, file).trimEnd(), `${image}: ${file}`);
}

for (const [folder, least] of Object.entries({ ext4: 20, 'ext4-journal': 20, 'ext4-htree': 8, vfat: 12, iso9660: 10, inspection: 8 })) {
  test(`each fixture of ${folder} is on the page as the command line has it`, async () => {
    let alike = 0;
    const refused = [];
    await withPage(async (page) => {
      for (const [name, image] of unpack(folder, /\.(img|iso)\.gz$/)) {
        if ((await compare(page, name, image)) === undefined) refused.push(name);
        else alike++;
        fs.rmSync(image);
      }
    });
    assert.ok(alike >= least, `${alike} alike`);
    return `${alike} alike${refused.length > 0 ? `; both refuse ${refused.join(', ')}` : ''}`;
  });
}

test('each fixture of partition tables and signatures is told on the page', async () => {
  let count = 0;
  await withPage(async (page) => {
    const signatures = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'signatures/golden.json'), 'utf8'));
    for (const folder of ['partition', 'signatures']) {
      for (const [name, image] of unpack(folder, /\.img\.gz$/)) {
        const refusal = await openInstead(page, image);
        count++;
        if (refusal !== undefined) {
          assert.match(refusal, /^This cannot be opened\..*(luks|empty).* not supported$/, name);
          continue;
        }
        const type = folder === 'signatures' ? signatures[name.replace('.img', '')]?.type : undefined;
        const told = await page.locator('main').textContent();
        if (type !== undefined) assert.ok(told.includes(type.replace('_LVM2', '')), `${name}: ${type} is told`);
        await page.click('#tab-files');
        await page.waitForSelector('[role=treeitem], main.empty');
        fs.rmSync(image);
      }
    }
  });
  return `${count} opened`;
});

test('a real Debian: the tree, and what is in files', async () => {
  const found = [
    ['.cache/debian', ['zstd.qcow2', 'chain.qcow2', 'disk.raw']],
    ['.cache/boot', ['base.qcow2']],
  ].flatMap(([folder, names]) => names.map((name) => path.join(ROOT, folder, name)).filter((file) => fs.existsSync(file)));
  if (found.length === 0) return 'there was none here: test/boot/run.sh or fixtures/make-debian.sh makes one';
  await withPage(async (page) => {
    for (const image of found) {
      const folder = path.dirname(image);
      const below = image.endsWith('chain.qcow2') ? ['middle.qcow2', 'zlib.qcow2'].map((name) => path.join(folder, name)) : [];
      assert.equal(await openInstead(page, image, ...below), undefined);
      await page.waitForSelector('[data-testid=packages]:has-text("(deb)")');
      const listed = guestless('packages', image).trim().split('\n').length;
      const counted = Number(/[\d,]+/.exec(await page.textContent('[data-testid=packages]'))[0].replace(',', ''));
      assert.ok(Math.abs(listed - counted) <= 1, `${listed} packages, the page says ${counted}`);
      await page.click('#tab-files');
      await row(page, 'etc').waitFor();
      await compareText(page, image, '/etc/fstab');
      await page.fill('[type=search]', 'libc.so.*');
      await page.keyboard.press('Enter');
      await page.waitForSelector('.search [role=status]:text-matches("^\\\\d+ found$")');
      const wanted = guestless('find', '--name', 'libc.so.*', image).trim().split('\n');
      assert.deepEqual((await page.locator('.result bdi').allTextContents()).sort(), wanted.sort());
    }
  });
  return found.map((file) => path.relative(ROOT, file)).join(', ');
});

// How much memory the page takes for an image that is much longer than memory should be.
import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { complaintsOf, makeLargeDisk, makeTree, NOISE_AT, START, tool } from './images.js';
import { at, guestless, launchWithProfile, PATIENCE, test } from './runner.js';
import { goTo, openFiles, withPageOf } from './user.js';

const LIMIT = 300 * 2 ** 20;
const EVERY_MS = 250;

function commandOf(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** The processes that draw pages and run their workers, of the browser that has this profile. */
function renderersOf(profile) {
  const parents = new Map();
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      parents.set(
        pid,
        fs
          .readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) \S /s, '')
          .split(' ')[0],
      );
    } catch {
      // It ended meanwhile.
    }
  }
  const isOurs = (pid) => {
    for (let one = pid; one !== undefined; one = parents.get(one)) if (commandOf(one).includes(`--user-data-dir=${profile}`)) return true;
    return false;
  };
  return [...parents.keys()].filter((pid) => commandOf(pid).includes('--type=renderer') && isOurs(pid));
}

/** Bytes of memory of a process: its own, and its share of what it has in common with others. */
function memoryOf(pid) {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]) * 1024;
  } catch {
    return 0;
  }
}

/** Watches the renderers of a browser until it is asked for the most that they took together. */
function watch(profile) {
  const pids = renderersOf(profile);
  assert.ok(pids.length > 0, 'the browser has renderers');
  const samples = [];
  const timer = setInterval(() => samples.push(pids.reduce((sum, pid) => sum + memoryOf(pid), 0)), EVERY_MS);
  return () => {
    clearInterval(timer);
    assert.ok(samples.length > 5, `${samples.length} samples`);
    return Math.max(...samples);
  };
}

/** Files of the browser's own, as they lie in its profile. */
function ownFiles(profile) {
  const folder = path.join(profile, 'Default/File System');
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Nobody can click in the window that asks where to save: in its place stands one that names a file of the browser's own. */
function answerThePicker(page) {
  return page.evaluate(() => {
    window.showSaveFilePicker = async ({ suggestedName }) =>
      (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
  });
}

async function saveAs(page, kind) {
  await page.click('text=Save…');
  await page.check(`input[value=${kind}]`);
  await page.click('dialog button.primary');
  await page.waitForSelector('.busy');
  await page.waitForSelector(`.notice:has-text(".${kind} is written")`);
}

test('an image of 4 GB is exported with less than 300 MB of memory', async () => {
  const image = at('large-4g.raw');
  const profile = at('profile');
  makeLargeDisk(image, makeTree(at('tree')));
  const notes = [];
  await withPageOf(await launchWithProfile(profile), async (page) => {
    page.setDefaultTimeout(4 * PATIENCE);
    await openFiles(page, image);
    await answerThePicker(page);
    await goTo(page, 'etc', 'motd');
    await page.click('.preview-head >> text=Edit');
    await page.fill('.editor textarea', 'exported\n');
    await page.click('text=Keep the change');
    await page.waitForSelector('[data-testid=text]:has-text("exported")');
    await page.click('#tab-changes');
    for (const kind of ['raw', 'qcow2']) {
      const most = watch(profile);
      const began = Date.now();
      await saveAs(page, kind);
      const memory = most();
      notes.push(`${kind} ${Math.round(memory / 2 ** 20)} MB, ${((Date.now() - began) / 1000).toFixed(1)} s`);
      assert.ok(memory < LIMIT, notes.at(-1));
    }
  });
  const [raw, qcow2] = ownFiles(profile).sort((a, b) => fs.statSync(b).size - fs.statSync(a).size);
  assert.equal(fs.statSync(raw).size, 2 ** 32);
  assert.match(tool('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', raw, qcow2), /identical/);
  tool('qemu-img', 'check', '-f', 'qcow2', qcow2);
  // Behind the file system, where nothing was changed, all is as before; what is in it was changed.
  tool('cmp', '-i', String(NOISE_AT), raw, image);
  assert.equal(guestless('cat', raw, '/etc/motd'), 'exported\n');
  assert.deepEqual(complaintsOf(raw, at('partition.raw'), START, 2 ** 30), []);
  for (const file of [image, profile, at('partition.raw')]) fs.rmSync(file, { recursive: true });
  return notes.join('; ');
});

// Opening, looking, searching: what a user does first.
import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { smallDisk } from './disks.js';
import { at, ROOT, test } from './runner.js';
import { goTo, openDemo, openFiles, row, shot, text, withPage } from './user.js';

test('the demo: overview, tree, preview, details', () =>
  withPage(async (page) => {
    await shot(page, 'start');
    await openDemo(page);
    await page.waitForSelector('[data-testid=packages]:has-text("deb")');
    assert.match(await page.textContent('.overview'), /Debian GNU\/Linux 12/);
    assert.match(await page.textContent('.overview'), /demo-changed/);
    assert.match(await page.textContent('.chain'), /demo-overlay\.qcow2[\s\S]*demo\.qcow2/);
    await shot(page, 'overview');
    await goTo(page, 'etc', 'hostname');
    assert.match(await text(page), /^demo-changed/);
    await row(page, 'os-release').click();
    await page.waitForSelector('text=../usr/lib/os-release');
    assert.match(await text(page), /PRETTY_NAME/);
    await page.click('summary');
    await page.waitForSelector('text=Inode');
    await shot(page, 'files');
    await page.click('.switch >> text=Bytes');
    assert.match(await page.textContent('[data-testid=hex]'), /00000000.*50 52 45|00000000/);
    await shot(page, 'bytes');
  }));

test('the keyboard walks the tree', () =>
  withPage(async (page) => {
    await openDemo(page);
    await page.click('#tab-files');
    await row(page, 'etc').waitFor();
    await page.focus('[role=tree]');
    for (const key of ['Home', 'e', 't', 'c', 'ArrowRight', 'ArrowRight']) {
      await page.keyboard.press(key);
      await page.waitForTimeout(120);
    }
    await page.waitForSelector('[role=treeitem][aria-selected=true][aria-level="3"]');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await page.waitForSelector('[role=treeitem][aria-selected=true][aria-level="2"][aria-expanded=false]');
  }));

test('search finds by name and shows where it is', () =>
  withPage(async (page) => {
    await openDemo(page);
    await page.click('#tab-files');
    await page.fill('[type=search]', 'host*');
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=found');
    await page.click('.result:has-text("/etc/hostname")');
    assert.match(await text(page), /demo-changed/);
  }));

test('a chain: the missing file is named, and can be added', () =>
  withPage(async (page) => {
    await page.setInputFiles('[data-testid=file-input]', path.join(ROOT, 'fixtures/demo-overlay.qcow2'));
    await page.waitForSelector('[role=alert] >> text=Choose demo.qcow2');
    await shot(page, 'missing');
    await openFiles(page, path.join(ROOT, 'fixtures/demo.qcow2'));
    assert.match(await page.textContent('.overview'), /demo-changed/);
  }));

test('a damaged file system is told, with what and where', () =>
  withPage(async (page) => {
    fs.copyFileSync(smallDisk(), at('damaged.raw'));
    const file = fs.openSync(at('damaged.raw'), 'r+');
    fs.writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, (1 << 20) + 2048);
    fs.closeSync(file);
    await openFiles(page, at('damaged.raw'));
    await page.waitForSelector('.problem');
    await shot(page, 'damaged');
    fs.writeFileSync(at('noise.raw'), Buffer.alloc(1 << 20, 'noise'));
    await page.click('[aria-label="Close the image"]');
    await page.setInputFiles('[data-testid=file-input]', at('noise.raw'));
    await page.waitForSelector('text=No operating system was found');
    await page.click('#tab-files');
    await page.waitForSelector('text=no file system');
  }));

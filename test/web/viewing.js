// Previews and downloads.
import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { smallDisk } from './disks.js';
import { tool } from './images.js';
import { at, test } from './runner.js';
import { goTo, openFiles, row, text, withPage } from './user.js';

test('downloads: a file, a directory as tar and as zip', () =>
  withPage(async (page) => {
    await openFiles(page, smallDisk());
    await goTo(page, 'usr', 'share');
    for (const as of ['tar', 'zip']) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.click(`.toolbar >> text=${as}`)]);
      await download.saveAs(at(`share.${as}`));
    }
    await row(page, 'random.bin').click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('.toolbar >> text=Download')]);
    await download.saveAs(at('random.bin'));
    const original = fs.readFileSync(at('small-tree/usr/share/random.bin'));
    assert.ok(fs.readFileSync(at('random.bin')).equals(original));
    fs.mkdirSync(at('untar'));
    tool('tar', 'xf', at('share.tar'), '-C', at('untar'));
    tool('diff', '-r', at('small-tree/usr/share'), at('untar'));
    fs.mkdirSync(at('unzip'));
    tool(
      'python3',
      '-c',
      'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])',
      at('share.zip'),
      at('unzip'),
    );
    tool('diff', '-r', at('small-tree/usr/share'), at('unzip'));
  }));

test('previews: a picture, Latin-1, UTF-16, bytes', () =>
  withPage(async (page) => {
    await openFiles(page, smallDisk());
    await goTo(page, 'usr', 'share', 'dot.png');
    await page.waitForFunction(() => document.querySelector('.picture img')?.naturalWidth === 8);
    await row(page, 'latin1.txt').click();
    await page.waitForSelector('.preview-head >> text=latin1');
    assert.match(await text(page), /café naïve résumé/);
    await row(page, 'utf16.txt').click();
    await page.waitForSelector('.preview-head >> text=utf-16le');
    assert.match(await text(page), /Grüße aus der Ferne/);
    await row(page, 'random.bin').click();
    await page.waitForSelector('[data-testid=hex] .hex-bytes');
  }));

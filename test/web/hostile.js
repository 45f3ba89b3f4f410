// Names and contents that would do harm if they were anything but text.
import * as assert from 'node:assert/strict';
import { HOSTILE, makeDisk, makeHostileTree } from './images.js';
import { at, test } from './runner.js';
import { openFiles, row, shot, text, withPage } from './user.js';

test('names and contents that are hostile are only text', () =>
  withPage(async (page, site) => {
    makeHostileTree(at('hostile-tree'));
    makeDisk(at('hostile.raw'), 64 << 20, at('hostile-tree'));
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await openFiles(page, at('hostile.raw'));
    await page.click('#tab-files');
    await row(page, 'hostile').click();
    await page.waitForSelector('[role=treeitem][aria-level="3"]');
    const rows = page.locator('[role=treeitem][aria-level="3"]');
    const count = HOSTILE.length + 4;
    await page.waitForFunction(
      (wanted) => document.querySelectorAll('[role=treeitem][aria-level="3"]').length >= Math.min(wanted, 15),
      count,
    );
    await shot(page, 'hostile');
    for (let i = 0; i < (await rows.count()); i++) {
      await rows.nth(i).click();
      await page.waitForTimeout(120);
    }
    const shown = (await page.locator('[role=treeitem] .name').allInnerTexts()).join('\n');
    assert.match(shown, /<img src=x onerror=window\.hacked=1>/);
    assert.match(shown, /\\u\{202e\}gnp\.exe/);
    assert.match(shown, /line\\nbreak/);
    assert.match(shown, /\\x1b\[31m/);
    assert.match(shown, /\\xff\\xfeA\\xc3/);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.equal(await page.locator('#app img:not([alt=""]), #app script, #app iframe, #app object').count(), 0);
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(site.url) && !url.startsWith('blob:')),
      [],
    );
    // They can be worked with.
    await row(page, '\\xff\\xfeA\\xc3').click();
    assert.match(await text(page), /no UTF-8/);
    await page.click('.toolbar >> text=Delete');
    await shot(page, 'hostile-dialog');
    await page.click('dialog button.danger');
    await row(page, '\\xff\\xfeA\\xc3').waitFor({ state: 'detached' });
  }));

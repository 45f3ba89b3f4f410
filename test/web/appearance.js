// How it looks.
import * as assert from 'node:assert/strict';
import { test } from './runner.js';
import { goTo, openDemo, row, shot, text, withPage } from './user.js';

test('on a phone, in the dark, and without a network', () =>
  withPage(
    async (page) => {
      await page.evaluate(() => navigator.serviceWorker.ready);
      await page.waitForFunction(async () => (await caches.keys()).length > 0);
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
      await page.context().setOffline(true);
      await page.reload();
      await openDemo(page);
      await shot(page, 'phone-overview');
      await goTo(page, 'etc');
      await shot(page, 'phone-tree');
      await row(page, 'passwd').click();
      assert.match(await text(page), /root:/);
      await shot(page, 'phone-file');
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false);
    },
    { viewport: { width: 390, height: 780 }, colorScheme: 'dark', deviceScaleFactor: 2, hasTouch: true },
  ));

// Images that are dropped on the page, and those of other sites.
import * as assert from 'node:assert/strict';
import { smallDisk } from './disks.js';
import { test } from './runner.js';
import { serveForeign } from './server.js';
import { goTo, row, text, withPage } from './user.js';

const DEMO = ['demo-overlay.qcow2', 'demo.qcow2'];

/** Drops files of the bundled demo on the page, as the browser would tell it; `folder` makes the first of them a folder. */
async function drop(page, names, folder = false) {
  await page.evaluate(
    async ([names, folder]) => {
      const data = new DataTransfer();
      for (const name of names) data.items.add(new File([await (await fetch(`demo/${name}`)).blob()], name));
      if (folder) data.items[0].constructor.prototype.webkitGetAsEntry = () => ({ isDirectory: true, name: 'my <b>images</b>' });
      const send = (type) => document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
      const refused = send('dragover');
      await new Promise(requestAnimationFrame);
      window.droppable = !refused && document.querySelector('.app.dropping') !== null;
      send('drop');
    },
    [names, folder],
  );
  assert.equal(await page.evaluate(() => window.droppable), true, 'the page shows that it takes what is dropped');
}

test('files that are dropped are opened, several as a chain', () =>
  withPage(async (page) => {
    await drop(page, [...DEMO].reverse());
    await page.waitForSelector('.overview .drawing');
    assert.match(await page.textContent('.chain'), /demo-overlay\.qcow2[\s\S]*demo\.qcow2/);
    // Another in its place, alone.
    await drop(page, ['demo.qcow2']);
    await page.waitForSelector('.overview .drawing');
    await page.waitForFunction(() => !document.querySelector('.chain')?.textContent.includes('demo-overlay'));
    assert.equal(await page.locator('.app.dropping').count(), 0);
  }));

test('of a chain that is dropped in part the rest can be dropped', () =>
  withPage(async (page) => {
    await drop(page, ['demo-overlay.qcow2']);
    await page.waitForSelector('[role=alert] >> text=needs the file "demo.qcow2"');
    await drop(page, ['demo.qcow2']);
    await page.waitForSelector('.overview .drawing');
    assert.match(await page.textContent('.overview'), /demo-changed/);
  }));

test('a folder that is dropped is refused with a sentence', () =>
  withPage(async (page) => {
    await drop(page, ['demo.qcow2'], true);
    await page.waitForSelector('.notice.error:has-text("<b>images</b>\\" is a folder: drop the image itself")');
    assert.equal(await page.locator('.overview').count(), 0);
  }));

test('a server of another site: opened when it allows that, and else told what it lacks', () =>
  withPage(async (page) => {
    const server = await serveForeign(smallDisk());
    const open = async (way) => {
      await page.fill('#address', server.address(way));
      await page.click('form.url button');
    };
    try {
      for (const [way, sentence] of [
        ['silent', /does not let pages of other sites read from it: it has to send Access-Control-Allow-Origin/],
        ['hidden', /no usable content-range \(none\); it has to send Access-Control-Expose-Headers: Content-Range, ETag/],
        ['whole', /ignores range requests and would send the whole image; download it first/],
        ['missing', /the server answered 404/],
      ]) {
        const began = Date.now();
        await open(way);
        await page.waitForFunction((wanted) => new RegExp(wanted).test(document.querySelector('.problem')?.textContent), sentence.source);
        assert.ok(Date.now() - began < 20_000, way);
      }
      await open('allowed');
      await page.waitForSelector('.overview .drawing');
      await goTo(page, 'etc', 'hostname');
      assert.match(await text(page), /^web-guest/);
      await page.click('[aria-label="Close the image"]');
      await open('changing');
      await page.waitForSelector('.overview .drawing');
      server.state.version = 2;
      await page.click('#tab-files');
      for (const name of ['usr', 'share', 'random.bin']) await row(page, name).click();
      await page.waitForSelector('.notice.error, .problem');
      const said = (await page.locator('.notice.error, .problem').allTextContents()).join(' ');
      assert.match(said, /changed while it was open \(its ETag went from "1" to "2"\); open it again/);
    } finally {
      server.close();
    }
  }));

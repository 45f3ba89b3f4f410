// What a user does on the page, and sees.
import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import { at, atTheEnd, once, PATIENCE, ROOT, SHOTS, theBrowser } from './runner.js';
import { serve } from './server.js';

/** The built page, and images by address. */
export const theSite = once(async () => {
  const site = await serve(path.join(ROOT, 'dist/web'), {
    'sparse.raw': at('sparse.raw'),
    'chain.qcow2': path.join(ROOT, 'fixtures/demo-overlay.qcow2'),
    'demo.qcow2': path.join(ROOT, 'fixtures/demo.qcow2'),
  });
  atTheEnd(site.close);
  return site;
});

/** The page, newly opened by someone whom the browser does not know; what goes wrong in it fails the test. Returns what `body` returns. */
export async function withPage(body, options = {}) {
  const browser = await theBrowser();
  return await withPageOf(await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...options }), body);
}

/** The same in a context of a browser, which is closed afterwards. */
export async function withPageOf(context, body) {
  const site = await theSite();
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(PATIENCE);
  const trouble = [];
  page.on('pageerror', (error) => trouble.push(error.stack));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/404|Failed to load resource/.test(message.text())) trouble.push(message.text());
  });
  try {
    await page.goto(site.url);
    const result = await body(page, site);
    assert.deepEqual(trouble, []);
    return result;
  } catch (error) {
    await page.screenshot({ path: path.join(SHOTS, 'failure.png') }).catch(() => undefined);
    if (trouble.length > 0) error.stack += `\non the page: ${trouble.join('\n')}`;
    throw error;
  } finally {
    await context.close();
  }
}

export const shot = (page, name) => page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
export const row = (page, name) =>
  page
    .locator('[role=treeitem]', {
      has: page.locator('.name bdi', { hasText: new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`) }),
    })
    .first();

export async function openFiles(page, ...files) {
  await page.setInputFiles('[data-testid=file-input]', files);
  await page.waitForSelector('.overview .drawing');
}

export async function openDemo(page) {
  await page.click('text=Open the demo');
  await page.waitForSelector('.overview .drawing');
}

export async function goTo(page, ...names) {
  await page.click('#tab-files');
  for (const name of names) await row(page, name).click();
}

export async function text(page) {
  await page.waitForSelector('[data-testid=text] .line-text');
  return (await page.locator('[data-testid=text] .line-text').allInnerTexts()).join('\n');
}

export async function save(page, kind, file) {
  await page.click('#tab-changes');
  await page.click('text=Save…');
  await page.check(`input[value=${kind}]`);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('dialog button.primary')]);
  await download.saveAs(file);
}

export const footer = async (page) => {
  await page.waitForTimeout(300);
  return page.locator('footer').evaluate((element) => ({ read: Number(element.dataset.read), requests: Number(element.dataset.requests) }));
};

// Runs the tests of the page one after another, in one browser; the last line is `N passed, N failed`.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { chromium } from 'playwright-core';
import { tool } from './images.js';

export const ROOT = path.resolve(import.meta.dirname, '../..');
export const SCRATCH = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/var/tmp', 'guestless-web-'));
export const SHOTS = path.join(ROOT, '.cache/web');
/** Milliseconds that anything may take on the page, unless a test says otherwise. */
export const PATIENCE = Number(process.env.PATIENCE ?? 60_000);

const tests = [];
const endings = [() => fs.rmSync(SCRATCH, { recursive: true, force: true })];

/** A test: `body` throws when the product is at fault, and may return a note to be shown. */
export function test(name, body) {
  tests.push({ name, body });
}

/** Something that is made when it is first asked for, and once. */
export function once(make) {
  let made;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Something that is to be closed when all is over. */
export function atTheEnd(close) {
  endings.push(close);
}

export const at = (name) => path.join(SCRATCH, name);
export const guestless = (...words) => tool(path.join(ROOT, 'guestless'), ...words);

/** The distribution's browser. */
const BROWSER = {
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

/** A browser of its own that keeps what it has in a folder, as those of users do; others have all of it in memory. */
export function launchWithProfile(folder) {
  return chromium.launchPersistentContext(folder, { ...BROWSER, viewport: { width: 1280, height: 800 } });
}

/** The browser that all tests share. */
export const theBrowser = once(async () => {
  const browser = await chromium.launch(BROWSER);
  atTheEnd(() => browser.close());
  return browser;
});

/** Runs the tests whose names contain `part`, and ends the program. */
export async function run(part) {
  fs.mkdirSync(SHOTS, { recursive: true });
  let passed = 0;
  let failed = 0;
  for (const { name, body } of tests) {
    if (part !== undefined && !name.includes(part)) continue;
    const began = Date.now();
    try {
      const note = await body();
      passed++;
      console.log(`ok   ${name} (${Date.now() - began} ms)${note === undefined ? '' : `: ${note}`}`);
    } catch (error) {
      failed++;
      console.log(`FAIL ${name}: ${error.stack}`);
    }
  }
  for (const end of endings.reverse()) await end();
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 && passed > 0 ? 0 : 1);
}

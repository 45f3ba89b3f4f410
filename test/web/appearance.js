// How it looks, and how it is for those who do not see it.
import * as assert from 'node:assert/strict';
import { test } from './runner.js';
import { goTo, openDemo, row, shot, text, withPage } from './user.js';

const PHONE = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, hasTouch: true };

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
    { ...PHONE, colorScheme: 'dark' },
  ));

/** Goes to each view of the page in turn. */
async function eachView(page, look) {
  await look('start');
  await openDemo(page);
  await page.waitForSelector('[data-testid=packages]:has-text("deb")');
  await look('overview');
  await goTo(page, 'etc', 'passwd');
  await text(page);
  await page.click('summary');
  await page.waitForSelector('text=Inode');
  await look('files');
  await page.click('.toolbar >> text=Mode');
  await page.fill('dialog input[type=text]', '0600');
  await look('mode');
  await page.click('dialog button.primary');
  await page.waitForSelector('.attributes >> text=0600');
  await page.click('#tab-changes');
  await page.waitForSelector('.result.changed');
  await look('changes');
  await page.click('text=Save…');
  await page.waitForSelector('dialog[open]');
  await look('save');
  await page.keyboard.press('Escape');
  await page.click('#tab-shell');
  await page.fill('#command', 'ls /nothing');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.log .error');
  await look('shell');
  await page.click('#tab-program');
  await page.waitForSelector('.program-form');
  await look('program');
}

for (const [name, options] of [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['small', { ...PHONE, colorScheme: 'light' }],
]) {
  test(`${name}: text stands out from what is behind it, and everything that can be used has a name`, () =>
    withPage(async (page) => {
      const faint = [];
      const nameless = [];
      let looked = 0;
      if (name === 'small') {
        // The file is shown instead of the tree there, so the way through the views is another.
        await openDemo(page);
        for (const tab of ['overview', 'files', 'changes', 'shell', 'program']) {
          await page.click(`#tab-${tab}`);
          await look(tab);
        }
      } else await eachView(page, look);
      assert.ok(looked >= 5);
      assert.deepEqual(faint, []);
      assert.deepEqual(nameless, []);

      async function look(view) {
        looked++;
        await shot(page, `${name}-${view}`);
        for (const one of await page.evaluate(faintTexts)) faint.push(`${view}: ${one}`);
        for (const one of await page.evaluate(namelessControls)) nameless.push(`${view}: ${one}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        assert.equal(wide, false, `${view} is wider than the screen`);
      }
    }, options));
}

test('what moves stands still for those who ask for it, and the keyboard reaches everything in the order of the page', () =>
  withPage(
    async (page) => {
      await openDemo(page);
      const moving = await page.evaluate(
        () =>
          [...document.querySelectorAll('*')].filter((element) => {
            const style = getComputedStyle(element);
            return [style.transitionDuration, style.animationDuration].some((value) =>
              value.split(',').some((one) => Number.parseFloat(one) > 0.01),
            );
          }).length,
      );
      assert.equal(moving, 0);
      // From the top on, each step goes right or down, as one reads; and each has a mark of focus.
      const seen = [];
      await page.focus('header button');
      for (let i = 0; i < 12; i++) {
        await page.keyboard.press('Tab');
        seen.push(
          await page.evaluate(() => {
            const element = document.activeElement;
            const { top, left } = element.getBoundingClientRect();
            const style = getComputedStyle(element);
            return {
              top,
              left,
              mark: style.outlineStyle !== 'none' || style.boxShadow !== 'none',
              what: element.outerHTML.slice(0, 80),
              body: element === document.body,
            };
          }),
        );
        if (seen.at(-1).body) break;
      }
      const steps = seen.filter(({ body }) => !body);
      assert.ok(steps.length >= 5, JSON.stringify(steps));
      assert.deepEqual(
        steps.filter(({ mark }) => !mark).map(({ what }) => what),
        [],
      );
      for (let i = 1; i < steps.length; i++) {
        const [before, after] = [steps[i - 1], steps[i]];
        assert.ok(after.top > before.top - 30 || after.left > before.left, `${before.what} then ${after.what}`);
      }
    },
    { reducedMotion: 'reduce' },
  ));

/** In the page: texts whose contrast to their background is below that of WCAG 2.2, level AA (1.4.3). */
function faintTexts() {
  const parse = (color) => {
    const [r, g, b, a = 1] = (color.match(/[\d.]+/g) ?? []).map(Number);
    if (color.startsWith('color(srgb')) return { r: r * 255, g: g * 255, b: b * 255, a };
    return { r, g, b, a };
  };
  const over = (top, below) => ({
    r: top.r * top.a + below.r * (1 - top.a),
    g: top.g * top.a + below.g * (1 - top.a),
    b: top.b * top.a + below.b * (1 - top.a),
    a: 1,
  });
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    const layers = [];
    for (let one = element; one !== null; one = one.parentElement) {
      const color = parse(getComputedStyle(one).backgroundColor);
      if (color.a > 0) layers.push(color);
      if (color.a === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (element === null || node.data.trim() === '' || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
      continue;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || element.closest(':disabled, [aria-hidden=true], .hidden') !== null) continue;
    const style = getComputedStyle(element);
    const background = behind(element);
    const color = over(parse(style.color), background);
    const [light, dark] = [luminance(color), luminance(background)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.add(`"${node.data.trim().slice(0, 30)}" ${ratio.toFixed(2)}`);
  }
  return [...found];
}

/** In the page: controls that nobody could call by a name. */
function namelessControls() {
  const found = [];
  for (const element of document.querySelectorAll(
    'button, input, select, textarea, a[href], [role=tab], [role=tree], [role=log], [role=toolbar], summary',
  )) {
    if (!element.checkVisibility() && element.type !== 'file') continue;
    const labels = [...(element.labels ?? [])].map((label) => label.textContent).join('');
    const name =
      element.getAttribute('aria-label') ??
      (element.getAttribute('aria-labelledby') ?? '')
        .split(' ')
        .map((id) => document.getElementById(id)?.textContent ?? '')
        .join('');
    const own = /^(BUTTON|A|SUMMARY)$/.test(element.tagName) ? element.textContent : '';
    if (`${name}${labels}${own}${element.getAttribute('title') ?? ''}`.trim() === '') found.push(element.outerHTML.slice(0, 120));
  }
  return found;
}

/** The site of the documentation, as `npm run site` builds it. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const site = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-site-'));
afterAll(() => fs.rmSync(site, { recursive: true, force: true }));

let said = '';
beforeAll(async () => {
  const typedoc = path.join(root, 'node_modules/typedoc/bin/typedoc');
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [typedoc, '--out', site], { cwd: root });
  said = stdout + stderr;
}, 120_000);

const pages = (folder: string): string[] =>
  fs.readdirSync(path.join(site, folder)).map((name) => fs.readFileSync(path.join(site, folder, name), 'utf8'));

describe('the site', () => {
  it('is built without a warning, such as of a link that leads nowhere', () => {
    expect(said).toBe('');
  });

  it('has each guide as a page under its heading', () => {
    const titles = pages('documents').map((page) => /<title>(.*?) \| guestless/.exec(page)?.[1]?.replace(/&#?\w+;/g, ''));
    for (const name of fs.readdirSync(path.join(root, 'docs'))) {
      const heading = /^# (.+)/.exec(fs.readFileSync(path.join(root, 'docs', name), 'utf8'))?.[1];
      expect(titles).toContain(heading?.replace(/[`'&<>"]/g, ''));
    }
  });

  it('has the reference of each subpath of the package', () => {
    const { exports } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as { exports: Record<string, unknown> };
    const modules = fs.readdirSync(path.join(site, 'modules'));
    for (const [subpath, target] of Object.entries(exports)) {
      if (typeof target === 'object') expect(modules).toContain(`${path.posix.join('guestless', subpath).replaceAll('/', '_')}.html`);
    }
  });

  it('links only to files that are there', () => {
    let count = 0;
    for (const name of fs.readdirSync(site, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.html')) continue;
      const page = fs.readFileSync(path.join(site, name), 'utf8');
      for (const [, link = ''] of page.matchAll(/(?:href|src)="([^"#]+)(?:#[^"]*)?"/g)) {
        if (/^[a-z]+:/.test(link)) continue;
        count++;
        const file = path.resolve(site, path.dirname(name), decodeURIComponent(link));
        expect(fs.existsSync(file), `${name}: ${link}`).toBe(true);
      }
    }
    expect(count).toBeGreaterThan(1000);
  });
});

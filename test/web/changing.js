// Changes that are made on the page, and what it saves; judged by real tools.
import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { smallDisk } from './disks.js';
import { complaintsOf, tool } from './images.js';
import { at, guestless, ROOT, test } from './runner.js';
import { goTo, openDemo, openFiles, row, save, shot, text, withPage } from './user.js';

test('edits in the page become an overlay that real tools accept, equal to the same edits by the command line', () =>
  withPage(async (page) => {
    const base = smallDisk();
    const before = tool('sha256sum', base);
    fs.writeFileSync(at('upload.bin'), Buffer.alloc(300_000, 'guestless '));
    await openFiles(page, base);
    await goTo(page, 'etc', 'motd');
    assert.match(await text(page), /welcome/);
    await page.click('.preview-head >> text=Edit');
    await page.fill('.editor textarea', 'changed in a browser\n');
    await page.click('text=Keep the change');
    await page.waitForSelector('[data-testid=text]:has-text("changed in a browser")');
    // Mode.
    await row(page, 'shadow').click();
    await page.click('.toolbar >> text=Mode');
    await page.fill('dialog input[type=text]', '0600');
    await page.click('dialog button.primary');
    await page.waitForSelector('.attributes >> text=0600');
    // A directory, an upload into it, a rename, a removal.
    await row(page, 'root').click();
    await page.click('text=New folder');
    await page.fill('dialog input[type=text]', 'new folder');
    await page.click('dialog button.primary');
    await row(page, 'new folder').click();
    await page.setInputFiles('[data-testid=upload]', at('upload.bin'));
    await row(page, 'upload.bin').click();
    await page.click('.toolbar >> text=Rename');
    await page.fill('dialog input[type=text]', 'renamed.bin');
    await page.click('dialog button.primary');
    await row(page, 'renamed.bin').waitFor();
    await row(page, 'group').click();
    await page.click('.toolbar >> text=Delete');
    await page.click('dialog button.danger');
    await row(page, 'group').waitFor({ state: 'detached' });
    // What changed.
    await page.click('#tab-changes');
    await page.waitForSelector('.result.added:has-text("/root/new folder/renamed.bin")');
    await page.waitForSelector('.result.removed:has-text("/etc/group")');
    await page.waitForSelector('.result.changed:has-text("/etc/motd")');
    await shot(page, 'changes');
    await save(page, 'overlay', at('page.qcow2'));
    await save(page, 'raw', at('page.raw'));
    await save(page, 'qcow2', at('page-full.qcow2'));
    assert.equal(tool('sha256sum', base), before);
    tool('qemu-img', 'rebase', '-u', '-b', base, '-F', 'raw', at('page.qcow2'));
    tool('qemu-img', 'check', at('page.qcow2'));
    tool('qemu-img', 'check', at('page-full.qcow2'));
    assert.match(tool('qemu-img', 'compare', at('page.qcow2'), at('page.raw')), /identical/);
    assert.match(tool('qemu-img', 'compare', at('page-full.qcow2'), at('page.raw')), /identical/);
    assert.deepEqual(complaintsOf(at('page.raw'), at('partition.raw')), []);
    // The same by the command line.
    fs.writeFileSync(at('motd'), 'changed in a browser\n');
    fs.copyFileSync(base, at('cli.raw'));
    guestless('tar-out', at('page.raw'), '/root', at('root.tar'));
    tool('sh', '-c', `"$1" write --commit "$2" /etc/motd <"$3"`, 'sh', path.join(ROOT, 'guestless'), at('cli.raw'), at('motd'));
    guestless('chmod', '--commit', at('cli.raw'), '0600', '/etc/shadow');
    guestless('tar-in', '--commit', at('cli.raw'), at('root.tar'), '/root');
    guestless('rm', '--commit', at('cli.raw'), '/etc/group');
    assert.equal(guestless('diff', at('cli.raw'), at('page.raw')), '');
    assert.equal(guestless('cat', at('page.qcow2'), '/root/new folder/renamed.bin'), fs.readFileSync(at('upload.bin'), 'utf8'));
  }));

test('injection: key, password, hostname', () =>
  withPage(async (page) => {
    await openFiles(page, smallDisk());
    await page.click('#tab-changes');
    await page.click('text=Inject key');
    await page.fill('dialog textarea', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 somebody');
    await page.fill('dialog input[type=password]', 'secret word');
    await page.fill('dialog input[type=text]', 'injected');
    await shot(page, 'inject');
    await page.click('dialog button.primary');
    await page.waitForSelector('.result.added:has-text("/root/.ssh/authorized_keys")');
    await save(page, 'raw', at('injected.raw'));
    assert.equal(guestless('cat', at('injected.raw'), '/etc/hostname'), 'injected\n');
    assert.match(guestless('cat', at('injected.raw'), '/root/.ssh/authorized_keys'), /somebody/);
    assert.match(guestless('cat', at('injected.raw'), '/etc/shadow'), /^root:\$6\$/);
    assert.match(guestless('cat', at('injected.raw'), '/etc/hosts'), /127\.0\.1\.1\tinjected/);
    assert.deepEqual(complaintsOf(at('injected.raw'), at('partition.raw')), []);
  }));

test('the shell changes the same disk', () =>
  withPage(async (page) => {
    await openDemo(page);
    await page.click('#tab-shell');
    const say = async (line) => {
      await page.fill('#command', line);
      await page.keyboard.press('Enter');
      await page.waitForSelector('#command:not([disabled])');
    };
    await say('cat /etc/hostname');
    await page.waitForSelector('.log >> text=demo-changed');
    await say('write /root/by-shell "written"');
    await say('mount /dev/sda9 /mnt');
    await page.waitForSelector('.log .error');
    await page.fill('#command', 'll /ro');
    await page.keyboard.press('Tab');
    await page.waitForFunction(() => document.querySelector('#command').value === 'll /root/');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.log >> text=by-shell');
    await shot(page, 'shell');
    await goTo(page, 'root', 'by-shell');
    assert.match(await text(page), /written/);
  }));

test('changes that are kept come back after a reload', () =>
  withPage(async (page) => {
    await openFiles(page, smallDisk());
    await goTo(page, 'etc', 'motd');
    await page.click('.preview-head >> text=Edit');
    await page.fill('.editor textarea', 'kept text\n');
    await page.click('text=Keep the change');
    await page.waitForSelector('[data-testid=text]:has-text("kept text")');
    await page.click('#tab-changes');
    await page.click('text=Keep in this browser');
    await page.waitForSelector('text=Bring them back');
    page.on('dialog', (dialog) => dialog.accept().catch(() => undefined));
    await page.reload();
    await openFiles(page, smallDisk());
    await page.click('#tab-changes');
    await page.waitForSelector('text=Nothing was changed yet');
    await page.click('text=Bring them back');
    await page.waitForSelector('.result.changed:has-text("/etc/motd")');
    await goTo(page, 'etc', 'motd');
    assert.match(await text(page), /kept text/);
  }));

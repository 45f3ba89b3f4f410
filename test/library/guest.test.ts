/** Opening a guest by the name of its image, as programs do. */
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { Posix, Refused } from '../../src/errors.ts';
import { openGuest, openGuestSync } from '../../src/index.ts';
import { sha256, untouched } from '../support/images.ts';
import { e2fsckComplaints, must, qemuCheckComplaints } from '../support/oracle.ts';
import { dump, guestImage, newFolder, partitioned } from '../vfs/guests.ts';

describe('reading', () => {
  test('one call to the files, in both manners', async () => {
    const image = guestImage();
    await untouched([image], async () => {
      const guest = await openGuest(image);
      expect(Buffer.from(await guest.readFile('/etc/hostname')).toString()).toBe('guest\n');
      expect((await guest.names('/')).includes('etc')).toBe(true);
      await expect(guest.writeFile('/x', new Uint8Array(1))).rejects.toMatchObject({ code: 'EROFS' });
      await expect(guest.commit()).rejects.toThrow(Refused);
      await guest.close();
      await guest[Symbol.asyncDispose]();
      const again = openGuestSync(image);
      expect(again.readText('/etc/hostname')).toBe('guest\n');
      again.close();
    });
  });

  test('partitions and mounts can be chosen; without a choice several file systems are an error', async () => {
    const plain = guestImage({ a: 'one' }, { bare: true });
    const image = partitioned('gpt', [plain, guestImage({ b: 'two', mnt: { directory: 0o755 } }, { bare: true })]);
    await expect(openGuest(image)).rejects.toThrow('no operating system and 2 file systems found');
    const second = await openGuest(image, { partition: 2 });
    expect(await second.readText('/b')).toBe('two');
    await second.close();
    const both = await openGuest(image, {
      mounts: [
        { device: '/dev/sda2', at: '/' },
        { device: '/dev/sda1', at: '/mnt' },
      ],
    });
    expect(await both.readText('/mnt/a')).toBe('one');
    await both.close();
  });
});

describe('writing', () => {
  test('changes are in the image after commit, and gone without', async () => {
    const image = guestImage();
    const before = sha256(image);
    const guest = await openGuest(image, { write: true });
    expect(await guest.changes()).toEqual([]);
    await guest.mkdirp('/srv/www');
    await guest.writeFile('/srv/www/index.html', '<p>hello');
    expect((await guest.changes()).length).toBeGreaterThan(0);
    expect(sha256(image)).toBe(before);
    await guest.commit();
    expect(await guest.changes()).toEqual([]);
    expect(dump(image)['/srv/www/index.html']).toEqual(['100644', 0, 0, '<p>hello']);
    // It goes on after a commit.
    await guest.appendFile('/srv/www/index.html', encodeName('</p>'));
    await guest.commit();
    await guest.unlink('/srv/www/index.html');
    await guest.close();
    expect(dump(image)['/srv/www/index.html']?.[3]).toBe('<p>hello</p>');
    expect(e2fsckComplaints(image)).toBe('');
  });

  test('a qcow2 image too, and it goes on after each commit', async () => {
    const image = guestImage();
    const packed = `${newFolder()}/guest.qcow2`;
    must('qemu-img', 'convert', '-c', '-O', 'qcow2', image, packed);
    const guest = await openGuest(packed, { write: true });
    for (let i = 0; i < 3; i++) {
      await guest.writeFile(`/etc/file${i}`, encodeName(`${i}`.repeat(100_000)));
      await guest.commit();
      expect(qemuCheckComplaints(packed)).toBe('');
      expect(await guest.readText(`/etc/file${i}`)).toBe(`${i}`.repeat(100_000));
    }
    await guest.close();
    const flat = `${newFolder()}/flat.raw`;
    must('qemu-img', 'convert', '-O', 'raw', packed, flat);
    const files = dump(flat);
    for (let i = 0; i < 3; i++) expect(files[`/etc/file${i}`]?.[3]).toBe(`${i}`.repeat(100_000));
    expect(e2fsckComplaints(flat)).toBe('');
  });

  test('a transaction happens as a whole or not at all', async () => {
    const image = guestImage();
    const guest = await openGuest(image, { write: true });
    const outcome = guest.transaction(async (tree) => {
      await tree.mkdir('/one');
      await Promise.all([tree.writeFile('/one/a', encodeName('a')), tree.writeFile('/one/b', encodeName('b'))]);
      await tree.rmdir('/nosuch');
    });
    await expect(outcome).rejects.toThrow(Posix);
    expect(await guest.exists('/one')).toBe(false);
    // What fails and is caught inside takes back only itself.
    const result = await guest.transaction(async (tree) => {
      await tree.mkdir('/two');
      await tree.mkdir('/two').catch(() => undefined);
      await tree.writeFile('/two/a', encodeName('a'));
      return (await tree.stat('/two/a')).size;
    });
    expect(result).toBe(1);
    expect(await guest.names('/two')).toEqual(['a']);
    await guest.commit();
    await guest.close();
    expect(e2fsckComplaints(image)).toBe('');
  });

  test('a transaction in a transaction fails alone', async () => {
    const guest = await openGuest(guestImage(), { write: true });
    await guest.transaction(async (tree) => {
      await tree.mkdir('/outer');
      const inner = tree.transaction(async (deeper) => {
        await deeper.mkdir('/outer/gone');
        throw new Error('given up');
      });
      await expect(inner).rejects.toThrow('given up');
      await tree.transaction((deeper) => deeper.mkdir('/outer/kept'));
    });
    expect(await guest.names('/outer')).toEqual(['kept']);
    await guest.close();
    const other = openGuestSync(guestImage(), { write: true });
    other.transaction((tree) => {
      tree.mkdir('/outer');
      const inner = (): void =>
        tree.transaction((deeper) => {
          deeper.mkdir('/outer/gone');
          throw new Error('given up');
        });
      expect(inner).toThrow('given up');
    });
    expect(other.names('/outer')).toEqual([]);
    other.close();
  });

  test('a transaction that is over takes no more calls, and others wait for it', async () => {
    const guest = await openGuest(guestImage(), { write: true });
    let late: () => Promise<void> = async () => {};
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = guest.transaction(async (tree) => {
      late = () => tree.mkdir('/late');
      await gate;
      await tree.mkdir('/first');
    });
    const second = guest.mkdir('/first/second');
    release();
    await Promise.all([first, second.catch(() => undefined)]);
    await expect(late()).rejects.toThrow('the transaction is over');
    expect(await guest.exists('/first')).toBe(true);
    await guest.close();
  });

  test('a transaction at once', () => {
    const guest = openGuestSync(guestImage(), { write: true });
    expect(() =>
      guest.transaction((tree) => {
        tree.mkdir('/one');
        tree.rmdir('/nosuch');
      }),
    ).toThrow(Posix);
    expect(guest.exists('/one')).toBe(false);
    expect(
      guest.transaction((tree) => {
        tree.mkdir('/one');
        return tree.stat('/one').kind;
      }),
    ).toBe('directory');
    guest.close();
  });

  test('saved as a new qcow2 image over the old one, which stays as it was', async () => {
    const image = guestImage();
    const folder = newFolder();
    const saved = `${folder}/new.qcow2`;
    await untouched([image], async () => {
      const guest = await openGuest(image, { write: true });
      await guest.writeFile('/etc/hostname', encodeName('saved\n'));
      await guest.saveAs(saved);
      await expect(guest.saveAs(saved)).rejects.toMatchObject({ code: 'EEXIST' });
      await guest.close();
    });
    expect(qemuCheckComplaints(saved)).toBe('');
    const flat = `${folder}/flat.raw`;
    must('qemu-img', 'convert', '-O', 'raw', saved, flat);
    expect(dump(flat)['/etc/hostname']?.[3]).toBe('saved\n');
    expect(e2fsckComplaints(flat)).toBe('');
  });

  test('nothing is saved over an image that changed meanwhile, nor committed into it', async () => {
    const image = guestImage();
    const guest = await openGuest(image, { write: true });
    await guest.writeFile('/etc/hostname', 'mine\n');
    fs.utimesSync(image, 1, 1);
    await untouched([image], async () => {
      await expect(guest.saveAs(`${newFolder()}/new.qcow2`)).rejects.toThrow('changed by somebody else');
      await expect(guest.commit()).rejects.toThrow('changed by somebody else');
    });
    await guest.close();
  });
});

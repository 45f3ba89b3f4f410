/** A disk for changing: an ext4 and a FAT on one drive, over one overlay. */

import * as fs from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { Posix } from '../../src/errors.ts';
import { EditableTree, EditSession, isWritable, mountAll } from '../../src/guest/index.ts';
import { runAsync, runSync, SourceDevice } from '../../src/io/index.ts';
import { FileSource } from '../../src/platform/node/index.ts';
import { untouched } from '../support/images.ts';
import { e2fsckComplaints, fsckVfatComplaints, must } from '../support/oracle.ts';
import { guestImage, newFolder, partitioned, partitionOf } from '../vfs/guests.ts';

const POINTS = [
  { device: '/dev/sda1', at: '/', wanted: true },
  { device: '/dev/sda2', at: '/boot', wanted: true },
] as const;

let image: string;

beforeAll(() => {
  const fat = `${newFolder()}/fat.img`;
  fs.writeFileSync(fat, '');
  fs.truncateSync(fat, 4 << 20);
  must('mkfs.vfat', '-n', 'BOOT', fat);
  image = partitioned('gpt', [guestImage({ boot: { directory: 0o755 } }), fat]);
});

function open(): { session: EditSession; tree: EditableTree } {
  const session = new EditSession(new SourceDevice(FileSource.open(image)));
  const tree = new EditableTree();
  runSync(session.mount(tree, { points: POINTS }));
  return { session, tree };
}

/** The two file systems as the overlay has them, judged by their checkers. */
function complaints(session: EditSession): string {
  const copy = `${newFolder()}/copy.raw`;
  fs.writeFileSync(copy, runSync(session.overlay.read(0, session.overlay.size)));
  return e2fsckComplaints(partitionOf(copy, 1)) + fsckVfatComplaints(partitionOf(copy, 2));
}

describe('file systems on one overlay', () => {
  test('both can be changed, the image is not, and a view can only look', async () => {
    await untouched([image], () => {
      const { session, tree } = open();
      expect(session.overlay.changed).toBe(false);
      tree.sync.writeFile('/etc/new', encodeName('x'));
      tree.sync.writeFile('/boot/Long name.txt', encodeName('y'));
      expect(complaints(session)).toBe('');
      const view = new EditableTree();
      runSync(mountAll(view, session.view(), POINTS));
      expect(view.sync.readText('/boot/Long name.txt')).toBe('y');
      expect(view.mounts.map(({ fileSystem }) => isWritable(fileSystem))).toEqual([false, false]);
      expect(() => view.sync.unlink('/etc/new')).toThrow(new Posix('EROFS', { path: '/etc/new' }));
      session.close();
    });
  });

  test('a transaction over both happens as a whole or not at all', () => {
    const { session, tree } = open();
    const before = session.overlay.changes();
    expect(() =>
      runSync(
        tree.transaction(function* () {
          yield* tree.writeFile('/etc/new', encodeName('x'));
          yield* tree.mkdir('/boot/new');
          yield* tree.writeFile('/boot/new/file', encodeName('y'));
          yield* tree.rmdir('/nosuch');
        }),
      ),
    ).toThrow(Posix);
    expect([tree.sync.exists('/etc/new'), tree.sync.exists('/boot/new')]).toEqual([false, false]);
    expect(session.overlay.changes()).toEqual(before);
    tree.sync.mkdir('/boot/new');
    tree.sync.mkdir('/etc/new');
    expect(complaints(session)).toBe('');
    session.close();
  });

  test('changes of both at the same time take turns', async () => {
    const { session, tree } = open();
    const all: Promise<unknown>[] = [];
    for (let i = 0; i < 30; i++) {
      const content = encodeName(`${i}\n`.repeat(2000));
      all.push(runAsync(tree.writeFile(`/etc/f${i}`, content)), runAsync(tree.writeFile(`/boot/f${i}`, content)));
      // Some of them fail in the middle, and take back only what is theirs.
      all.push(runAsync(tree.transaction(() => failing(tree, i))).catch((error: unknown) => error));
    }
    await Promise.all(all);
    for (let i = 0; i < 30; i++) {
      expect(tree.sync.readText(`/boot/f${i}`)).toBe(`${i}\n`.repeat(2000));
      expect(tree.sync.readText(`/etc/f${i}`)).toBe(`${i}\n`.repeat(2000));
      expect([tree.sync.exists(`/boot/bad${i}`), tree.sync.exists(`/bad${i}`)]).toEqual([false, false]);
    }
    expect(complaints(session)).toBe('');
    session.close();
  });
});

function* failing(tree: EditableTree, i: number): ReturnType<EditableTree['mkdir']> {
  yield* tree.mkdir(`/boot/bad${i}`);
  yield* tree.mkdir(`/bad${i}`);
  throw new Posix('EIO');
}

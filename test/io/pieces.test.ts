/** Reading ahead, and flushing while data come: what goes on in the background is neither lost nor torn. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/bytes/index.ts';
import { Posix, Refused } from '../../src/errors.ts';
import { type ByteSource, Flush, type Io, Pieces, perform, runAsync, runSync, Write } from '../../src/io/index.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { FlushingFile } from '../../src/platform/node/flushing-file.ts';
import { scratchFolder } from '../support/images.ts';

const folder = scratchFolder();
const contents = Uint8Array.from({ length: 1_000_003 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

function* readAll(pieces: Pieces): Io<Bytes[]> {
  const all: Bytes[] = [];
  for (let piece = yield* pieces.next(); piece !== undefined; piece = yield* pieces.next()) all.push(piece.slice());
  return all;
}

describe('a source in pieces', () => {
  const name = path.join(folder, 'pieces');
  fs.writeFileSync(name, contents);

  test.each([4096, 65_536, 1_000_003, 2_000_000])('of %i bytes is itself, under both drivers', async (length) => {
    const sync = FileSource.open(name);
    const together = runSync(readAll(new Pieces(sync, length)));
    expect(Buffer.concat(together).equals(contents)).toBe(true);
    expect(together.length).toBe(Math.ceil(contents.length / length));
    const ahead = await runAsync(readAll(new Pieces(sync, length)));
    expect(Buffer.concat(ahead).equals(contents)).toBe(true);
    sync.close();
  });

  test('that come in crumbs, and are read ahead while the one before is in use', async () => {
    const asked: number[] = [];
    const source: ByteSource = {
      name: 'crumbs',
      size: 100,
      preferredRequest: 4096,
      readSync: (offset, target) => {
        const part = contents.subarray(offset, offset + Math.min(7, target.length));
        target.set(part);
        return part.length;
      },
      readInBackground: async (offset, target) => {
        asked.push(offset);
        return source.readSync?.(offset, target) ?? 0;
      },
    };
    const pieces = new Pieces(source, 30);
    const first = await runAsync(pieces.next());
    expect(asked).toEqual([0, 30]);
    expect(first).toEqual(contents.subarray(0, 30));
    expect(() => runSync(pieces.next())).toThrow(Refused);
    const rest = await runAsync(readAll(pieces));
    expect(Buffer.concat(rest).equals(contents.subarray(30, 100))).toBe(true);
    expect(asked).toEqual([0, 30, 60, 90]);
  });

  test('fails where it cannot be read, at that piece and not before', async () => {
    const source: ByteSource = {
      name: 'broken',
      size: 90,
      preferredRequest: 4096,
      readSync: () => 0,
      readInBackground: async (offset, target) => {
        if (offset >= 30) throw new Posix('EIO', { image: 'broken' });
        return target.length;
      },
    };
    const pieces = new Pieces(source, 30);
    expect((await runAsync(pieces.next()))?.length).toBe(30);
    await expect(runAsync(pieces.next())).rejects.toThrow(Posix);
  });

  test('of a file that became shorter: an error, not zeros', async () => {
    const short = path.join(folder, 'short');
    fs.writeFileSync(short, contents);
    const source = FileSource.open(short);
    fs.truncateSync(short, 50_000);
    await expect(runAsync(readAll(new Pieces(source, 65_536)))).rejects.toThrow(Posix);
    source.close();
  });

  test('of a file that is closed meanwhile: its descriptor is kept until nobody reads', async () => {
    const source = FileSource.open(name);
    const { descriptor } = source;
    const target = new Uint8Array(1000);
    const reading = source.readInBackground(0, target);
    source.close();
    expect(() => fs.fstatSync(descriptor)).not.toThrow();
    expect(await reading).toBe(1000);
    expect(target).toEqual(contents.subarray(0, 1000));
    expect(() => fs.fstatSync(descriptor)).toThrow(/EBADF/);
    expect(() => source.descriptor).toThrow(Refused);
  });
});

describe('a file that is flushed while it is written', () => {
  /** What a file of the host does, with flushes that end when the test says so. */
  function made(): { file: FileSource; flushing: FlushingFile; end: ((error?: Error) => void)[] } {
    const file = FileSource.adopt('new', fs.openSync(path.join(folder, 'new'), 'w+'), true);
    const end: ((error?: Error) => void)[] = [];
    file.flushInBackground = () => {
      return new Promise((resolve, reject) => {
        end.push((error) => (error === undefined ? resolve() : reject(error)));
      });
    };
    return { file, flushing: new FlushingFile(file), end };
  }
  const much = new Uint8Array(32 << 20);

  test('an error of a flush under way is that of the last one, each time', async () => {
    const { flushing, end } = made();
    await runAsync(perform(new Write(flushing, 0, much)));
    expect(end.length).toBe(1);
    // No second one meanwhile, and no flush that would not see how it ends.
    await runAsync(perform(new Write(flushing, 0, much)));
    expect(end.length).toBe(1);
    expect(() => runSync(perform(new Flush(flushing)))).toThrow(Refused);
    const flushed = runAsync(perform(new Flush(flushing)));
    end[0]?.(new Posix('EIO', { image: 'new' }));
    await expect(flushed).rejects.toThrow(Posix);
    expect(end.length).toBe(1);
    await expect(runAsync(perform(new Flush(flushing)))).rejects.toThrow(Posix);
    expect(() => runSync(perform(new Flush(flushing)))).toThrow(Posix);
    flushing.close();
  });

  test('what came after a flush under way is flushed by the last one', async () => {
    const { flushing, end } = made();
    await runAsync(perform(new Write(flushing, 0, much)));
    const flushed = runAsync(perform(new Flush(flushing)));
    let done = false;
    void flushed.then(() => {
      done = true;
    });
    end[0]?.();
    await new Promise(setImmediate);
    expect(end.length).toBe(2);
    expect(done).toBe(false);
    end[1]?.();
    await flushed;
    flushing.close();
  });

  test('under the synchronous driver nothing goes on in the background', () => {
    const { flushing, end } = made();
    runSync(perform(new Write(flushing, 0, much)));
    runSync(perform(new Flush(flushing)));
    expect(end).toEqual([]);
    flushing.close();
  });
});

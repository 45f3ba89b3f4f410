/** Sources in pieces, files written in pieces, and flushing while data come: nothing is lost or torn. */
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

  test('that come in crumbs', async () => {
    const source: ByteSource = {
      name: 'crumbs',
      size: 100,
      preferredRequest: 4096,
      readSync: (offset, target) => {
        const part = contents.subarray(offset, offset + Math.min(7, target.length));
        target.set(part);
        return part.length;
      },
    };
    const all = await runAsync(readAll(new Pieces(source, 30)));
    expect(all.map((piece) => piece.length)).toEqual([30, 30, 30, 10]);
    expect(Buffer.concat(all).equals(contents.subarray(0, 100))).toBe(true);
  });

  test('fails where it cannot be read, at that piece and not before', () => {
    const source: ByteSource = {
      name: 'broken',
      size: 90,
      preferredRequest: 4096,
      readSync: (offset, target) => {
        if (offset >= 30) throw new Posix('EIO', { image: 'broken' });
        return target.length;
      },
    };
    const pieces = new Pieces(source, 30);
    expect(runSync(pieces.next())?.length).toBe(30);
    expect(() => runSync(pieces.next())).toThrow(Posix);
  });

  test('of a file that became shorter: an error, not zeros', async () => {
    const short = path.join(folder, 'short');
    fs.writeFileSync(short, contents);
    const source = FileSource.open(short);
    fs.truncateSync(short, 50_000);
    await expect(runAsync(readAll(new Pieces(source, 65_536)))).rejects.toThrow(Posix);
    source.close();
  });
});

describe('a file that is flushed while it is written', () => {
  test('and closed meanwhile: its descriptor is kept until the flush is over', async () => {
    const file = FileSource.adopt('closed', fs.openSync(path.join(folder, 'closed'), 'w+'), true);
    const { descriptor } = file;
    const flushing = file.flushInBackground();
    file.close();
    expect(() => fs.fstatSync(descriptor)).not.toThrow();
    await flushing;
    expect(() => fs.fstatSync(descriptor)).toThrow(/EBADF/);
    expect(() => file.descriptor).toThrow(Refused);
  });

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

test('a file takes pieces one behind the other, however many', () => {
  const name = path.join(folder, 'taken');
  const file = FileSource.adopt('taken', fs.openSync(name, 'w+'), true);
  const pieces = [contents.subarray(0, 10), contents.subarray(10, 5000), contents.subarray(5000, 70_000)];
  file.writePiecesSync(100, pieces);
  expect(file.size).toBe(70_100);
  // More pieces than one call of the system takes (IOV_MAX).
  const many = Array.from({ length: 3000 }, (_, i) => contents.subarray(i * 5, i * 5 + 5));
  file.writePiecesSync(80_000, many);
  expect(fs.readFileSync(name).subarray(80_000).equals(contents.subarray(0, 15_000))).toBe(true);
  expect(fs.readFileSync(name).subarray(100, 70_100).equals(contents.subarray(0, 70_000))).toBe(true);
  file.close();
});

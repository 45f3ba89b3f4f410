/** Sources and the devices over them: exact reads, the end of a file, slices, files of the host. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Corrupt, Posix, Refused } from '../../src/errors.ts';
import {
  type ByteSource,
  Flush,
  MemorySource,
  perform,
  readExactly,
  readPadded,
  runAsync,
  runSync,
  Slice,
  SourceDevice,
  Truncate,
  Write,
} from '../../src/io/index.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { scratchFolder } from '../support/images.ts';
import { must } from '../support/oracle.ts';

const ten = (): MemorySource =>
  new MemorySource(
    Uint8Array.from({ length: 10 }, (_, i) => i),
    'ten',
  );

describe('a source', () => {
  test('that gives its bytes in crumbs is read whole', async () => {
    const whole = Uint8Array.from({ length: 100 }, (_, i) => i);
    const crumbs: ByteSource = {
      name: 'crumbs',
      size: 100,
      preferredRequest: 4096,
      readAsync: async (offset, target) => {
        const part = whole.subarray(offset, offset + Math.min(7, target.length));
        target.set(part);
        return part.length;
      },
    };
    const target = new Uint8Array(60);
    await runAsync(readExactly(crumbs, 30, target));
    expect(target).toEqual(whole.slice(30, 90));
    expect(() => runSync(readExactly(crumbs, 0, target))).toThrow(Refused);
  });

  test('that ends too early is an I/O error, or zeros where the format says so', () => {
    expect(() => runSync(readExactly(ten(), 8, new Uint8Array(4)))).toThrow(Posix);
    const target = new Uint8Array(6).fill(9);
    runSync(readPadded(ten(), 7, target));
    expect([...target]).toEqual([7, 8, 9, 0, 0, 0]);
    runSync(readPadded(ten(), 1000, target));
    expect([...target]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('in memory can be written, extended and cut', () => {
    const source = ten();
    runSync(perform(new Write(source, 12, Uint8Array.of(1, 2))));
    expect([...source.bytes.subarray(9)]).toEqual([9, 0, 0, 1, 2]);
    runSync(perform(new Truncate(source, 3)));
    expect([...source.bytes]).toEqual([0, 1, 2]);
  });
});

describe('a device', () => {
  test('over a source reads any range and refuses what lies outside', () => {
    const device = new SourceDevice(ten());
    expect([...runSync(device.read(3, 4))]).toEqual([3, 4, 5, 6]);
    expect(() => runSync(device.read(7, 4))).toThrow(Corrupt);
    expect(runSync(device.map(4, 100))).toMatchObject({ length: 6, offset: 4, data: true, zero: false });
  });

  test('cut into slices stays inside of each', () => {
    const slice = new Slice(new SourceDevice(ten()), 4, 4);
    expect([...runSync(slice.read(0, 4))]).toEqual([4, 5, 6, 7]);
    expect(runSync(slice.map(1, 3))).toMatchObject({ length: 3, offset: 5 });
    expect(() => runSync(slice.read(2, 3))).toThrow(Corrupt);
    expect(() => runSync(slice.read(-1, 1))).toThrow(Corrupt);
    expect(() => new Slice(new SourceDevice(ten()), 8, 3)).toThrow(Corrupt);
    expect(() => new Slice(slice, Number.NaN, 1)).toThrow(Corrupt);
  });
});

describe('files of the host', () => {
  const folder = scratchFolder();
  const at = (name: string): string => path.join(folder, name);

  test('are read, written, extended, cut and flushed in place', () => {
    fs.writeFileSync(at('file'), 'hello, world');
    const source = FileSource.open(at('file'), { writable: true });
    const target = new Uint8Array(5);
    runSync(readExactly(source, 7, target));
    expect(Buffer.from(target).toString()).toBe('world');
    runSync(perform(new Write(source, 12, Buffer.from('!!'))));
    runSync(perform(new Truncate(source, 13)));
    runSync(perform(new Flush(source)));
    expect(source.size).toBe(13);
    source.close();
    expect(fs.readFileSync(at('file'), 'utf8')).toBe('hello, world!');
    expect(() => source.readSync(0, target)).toThrow(Refused);
  });

  test('are opened read-only unless asked otherwise', () => {
    fs.writeFileSync(at('locked'), 'x');
    const source = FileSource.open(at('locked'));
    expect(() => source.writeSync(0, Uint8Array.of(1))).toThrow(Posix);
    expect(fs.readFileSync(at('locked'), 'utf8')).toBe('x');
    source.close();
  });

  test('have one identity under every name', () => {
    fs.writeFileSync(at('one'), 'x');
    fs.linkSync(at('one'), at('hard'));
    fs.symlinkSync('one', at('soft'));
    fs.writeFileSync(at('other'), 'x');
    const identity = (name: string): string => {
      const source = FileSource.open(at(name));
      source.close();
      return source.identity;
    };
    expect(new Set(['one', 'hard', 'soft'].map(identity)).size).toBe(1);
    expect(identity('other')).not.toBe(identity('one'));
  });

  test('what is missing, a folder or a FIFO is refused at once', () => {
    expect(() => FileSource.open(at('missing'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => FileSource.open(folder)).toThrow(expect.objectContaining({ code: 'EISDIR' }));
    must('mkfifo', at('fifo'));
    expect(() => FileSource.open(at('fifo'))).toThrow(Refused);
    expect(() => FileSource.open('/dev/null')).toThrow(Refused);
  });

  test('a file that shrinks while it is open is an I/O error', () => {
    fs.writeFileSync(at('shrinking'), Buffer.alloc(10_000));
    const device = new SourceDevice(FileSource.open(at('shrinking')));
    fs.truncateSync(at('shrinking'), 100);
    expect(() => runSync(device.read(50, 100))).toThrow(expect.objectContaining({ code: 'EIO' }));
  });
});

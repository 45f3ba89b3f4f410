/** Files of the browser as byte sources, on the Blob that Node.js has; only a browser's worker reads them synchronously. */
import { describe, expect, test } from 'vitest';
import { Refused } from '../../src/errors.ts';
import { type ByteSource, readExactly, runAsync, runSync } from '../../src/io/index.ts';

// By a computed name, as the types of the DOM do not belong to the tests.
const { BlobSource } = (await import(new URL('../../src/platform/browser/blob.ts', import.meta.url).href)) as {
  BlobSource: new (blob: Blob, name?: string) => ByteSource;
};
const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff);

describe('a Blob', () => {
  test('is read at any offset, and short at its end', async () => {
    const source = new BlobSource(new Blob([bytes]), 'disk.img');
    expect(source).toMatchObject({ name: 'disk.img', size: 5000 });
    const target = new Uint8Array(1000);
    await runAsync(readExactly(source, 3500, target));
    expect(target).toEqual(bytes.slice(3500, 4500));
    expect(await source.readAsync?.(4900, target)).toBe(100);
    expect(await source.readAsync?.(5000, target)).toBe(0);
  });

  test('is refused synchronously where there is no FileReaderSync', () => {
    expect(() => runSync(readExactly(new BlobSource(new Blob([bytes])), 0, new Uint8Array(4)))).toThrow(Refused);
  });

  test('two Blobs are two images', () => {
    const blob = new Blob([bytes]);
    expect(new BlobSource(blob).identity).not.toBe(new BlobSource(blob).identity);
  });
});

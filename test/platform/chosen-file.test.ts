/** Files that a user chose for writing in a browser: one write is on its way while the next is prepared, and none is lost. */
import { describe, expect, test } from 'vitest';
import { Posix } from '../../src/errors.ts';

// The types of the DOM are not those of the tests.
const { ChosenFile } = (await import('../../src/platform/browser/opfs.ts' as string)) as {
  ChosenFile: new (
    name: string,
    stream: object,
  ) => {
    readonly size: number;
    writeAsync(offset: number, bytes: Uint8Array): Promise<void>;
    truncateAsync(size: number): Promise<void>;
    finish(): Promise<void>;
    abandon(): Promise<void>;
  };
};

/** A stream into memory, as slow as is asked for, which fails at the write with the number `failing`. */
function streamInto(file: Uint8Array, failing = -1) {
  const state = { underway: 0, most: 0, closed: false, aborted: false };
  let count = 0;
  return {
    state,
    async write({ position, data }: { position: number; data: Uint8Array }) {
      state.most = Math.max(state.most, ++state.underway);
      await new Promise((resolve) => setTimeout(resolve, 2));
      state.underway--;
      if (count++ === failing) throw new Error('the disk was pulled out');
      file.set(data, position);
    },
    async truncate() {},
    async close() {
      state.closed = true;
    },
    async abort() {
      state.aborted = true;
    },
  };
}

describe('a chosen file', () => {
  test('has every write, though the caller uses its bytes again at once', async () => {
    const file = new Uint8Array(1000);
    const stream = streamInto(file);
    const chosen = new ChosenFile('disk.raw', stream);
    const bytes = new Uint8Array(100);
    for (let i = 0; i < 10; i++) await chosen.writeAsync(i * 100, bytes.fill(i + 1));
    bytes.fill(99);
    await chosen.finish();
    expect([...file]).toEqual(Array.from({ length: 1000 }, (_, i) => Math.floor(i / 100) + 1));
    expect(stream.state).toMatchObject({ most: 1, closed: true });
    expect(chosen.size).toBe(1000);
  });

  test.each([0, 3, 4])('tells when write %i of 5 failed, at the latest when it is finished', async (failing) => {
    const stream = streamInto(new Uint8Array(500), failing);
    const chosen = new ChosenFile('disk.raw', stream);
    const work = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) await chosen.writeAsync(i * 100, new Uint8Array(100));
      await chosen.finish();
    };
    const failure = await work().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(Posix);
    expect(failure).toMatchObject({ code: 'EIO', where: { image: 'disk.raw', offset: failing * 100 } });
    expect(stream.state.closed).toBe(false);
    await chosen.abandon();
    expect(stream.state.aborted).toBe(true);
  });
});

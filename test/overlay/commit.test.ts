/** Given a commit that stops anywhere, the image is as before or as after once it is opened again. */
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { rolldown } from 'rolldown';
import { beforeAll, describe, expect, test } from 'vitest';
import { Corrupt, GuestlessError, Posix, Refused } from '../../src/errors.ts';
import { type CommitHost, MemorySource, runAsync, runSync, SourceDevice, type WritableSource } from '../../src/io/index.ts';
import { commitOverlay, OverlayDevice, RAW_IMAGE, recover } from '../../src/overlay/index.ts';
import { commitHost, JOURNAL_SUFFIX } from '../../src/platform/node/commit.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { scratchFolder } from '../support/images.ts';
import { must } from '../support/oracle.ts';
import { applyChanges, changed, image } from './changes.ts';

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** What a machine forgets when its power goes: a random part of what was not flushed. */
class PowerCut extends Error {}

/** A host in memory that counts its effects and stops at one of them, losing what was not durable. */
class FragileHost implements CommitHost {
  readonly name = 'disk.img';
  durable = image();
  pending: { offset: number; bytes: Uint8Array }[] = [];
  journalDurable: Uint8Array | undefined;
  journal: { source: MemorySource; pending: { offset: number; bytes: Uint8Array }[]; synced: boolean } | undefined;
  left = Number.POSITIVE_INFINITY;
  effects = 0;
  fail: 'cut' | 'error' = 'cut';
  writes = 0;
  readonly leastBlank: number;

  constructor(leastBlank: number) {
    this.leastBlank = leastBlank;
  }

  #tick(): void {
    this.effects++;
    if (this.left-- > 0) return;
    if (this.fail === 'error') {
      this.left = Number.POSITIVE_INFINITY;
      throw new Posix('ENOSPC');
    }
    throw new PowerCut();
  }

  identity = (): string => '1:2';
  stamp = (): string => `1:2:${this.writes}`;
  user = (): string | undefined => undefined;

  openImage = (): WritableSource => {
    const current = new MemorySource(this.#volatile());
    return this.#source(
      current,
      this.pending,
      () => {
        this.durable = current.bytes.slice();
        this.pending.length = 0;
      },
      () => this.writes++,
    );
  };

  #volatile(): Uint8Array {
    const bytes = this.durable.slice();
    for (const write of this.pending) bytes.set(write.bytes, write.offset);
    return bytes;
  }

  #source(
    current: MemorySource,
    pending: { offset: number; bytes: Uint8Array }[],
    flushed: () => void,
    written: () => void,
  ): WritableSource {
    return {
      name: this.name,
      preferredRequest: 4096,
      get size() {
        return current.size;
      },
      readSync: (offset, target) => current.readSync(offset, target),
      writeSync: (offset, bytes) => {
        const half = bytes.length >> 1;
        for (const [from, to] of [
          [0, half],
          [half, bytes.length],
        ] as const) {
          this.#tick();
          const part = bytes.slice(from, to);
          current.writeSync(offset + from, part);
          pending.push({ offset: offset + from, bytes: part });
          written();
        }
      },
      flushSync: () => {
        this.#tick();
        flushed();
      },
    };
  }

  createJournal = (): WritableSource => {
    this.#tick();
    if (this.journal !== undefined) throw new Posix('EEXIST');
    const journal = { source: new MemorySource(new Uint8Array(0)), pending: [] as { offset: number; bytes: Uint8Array }[], synced: false };
    this.journal = journal;
    return this.#source(
      journal.source,
      journal.pending,
      () => {
        journal.synced = true;
        journal.pending.length = 0;
        this.#journalContents = journal.source.bytes.slice();
      },
      () => {},
    );
  };
  #journalContents: Uint8Array = new Uint8Array(0);
  #folder = false;

  openJournal = (): WritableSource | undefined =>
    this.journal === undefined
      ? undefined
      : this.#source(
          this.journal.source,
          [],
          () => {},
          () => {},
        );
  removeJournal = (): void => {
    this.#tick();
    this.journal = undefined;
  };
  syncFolder = (): void => {
    this.#tick();
    this.#folder = this.journal !== undefined;
  };

  /** What is there after the power came back; `keep` decides for each write that was not durable. */
  reboot(keep: () => boolean): FragileHost {
    const next = new FragileHost(this.leastBlank);
    next.durable = this.durable.slice();
    for (const write of this.pending) if (keep()) next.durable.set(write.bytes, write.offset);
    next.writes = this.writes;
    // A name that was not made durable may be there or not; so may one whose removal was not.
    const present = this.journal === undefined ? this.#folder && keep() : this.#folder || keep();
    if (present) {
      const contents = new MemorySource(this.#journalContents.slice());
      for (const write of this.journal?.pending ?? []) if (keep()) contents.writeSync(write.offset, write.bytes);
      next.journal = { source: contents, pending: [], synced: true };
      next.#journalContents = contents.bytes.slice();
      next.#folder = true;
    }
    return next;
  }
}

function attemptCommit(host: FragileHost): unknown {
  const overlay = new OverlayDevice(new SourceDevice(new MemorySource(image())));
  applyChanges(overlay);
  try {
    runSync(commitOverlay(overlay, RAW_IMAGE, host, host.stamp()));
    expect(overlay.changed).toBe(false);
    return undefined;
  } catch (error) {
    expect(overlay.changed).toBe(true);
    return error;
  }
}

const effectsOf = (least: number): number => {
  const host = new FragileHost(least);
  expect(attemptCommit(host)).toBeUndefined();
  expect(same(host.durable, changed())).toBe(true);
  expect(host.journal).toBeUndefined();
  return host.effects;
};

describe.each([
  ['all through the journal', Number.POSITIVE_INFINITY],
  ['data for blank places past the journal', 1],
])('the power goes, %s', (_, least) => {
  const effects = effectsOf(least);

  test('at the n-th effect, for every n, whatever the disk had already taken; and again while it recovers', () => {
    let finished = 0;
    let dropped = 0;
    for (let n = 0; n < effects; n++) {
      fc.assert(
        fc.property(fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), fc.nat(effects), (coins, again) => {
          let coin = 0;
          const keep = (): boolean => coins[coin++ % coins.length] ?? true;
          const host = new FragileHost(least);
          host.left = n;
          expect(attemptCommit(host)).toBeInstanceOf(PowerCut);
          let rebooted = host.reboot(keep);
          rebooted.left = again;
          try {
            runSync(recover(rebooted));
          } catch (error) {
            if (!(error instanceof PowerCut) && !(error instanceof GuestlessError)) throw error;
            rebooted = rebooted.reboot(keep);
          }
          rebooted.left = Number.POSITIVE_INFINITY;
          runSync(recover(rebooted));
          const after = same(rebooted.durable, changed());
          if (!after && !same(rebooted.durable, image())) throw new Error(`neither before nor after (effect ${n})`);
          expect(rebooted.journal).toBeUndefined();
          if (after) finished++;
          else dropped++;
        }),
        { numRuns: 8 },
      );
    }
    expect(finished).toBeGreaterThan(0);
    expect(dropped).toBeGreaterThan(0);
  });

  test('the disk is full at the n-th effect: the image is as before, or the next open finishes', () => {
    for (let n = 0; n < effects; n++) {
      const host = new FragileHost(least);
      host.left = n;
      host.fail = 'error';
      const error = attemptCommit(host);
      if (error !== undefined) expect(error).toBeInstanceOf(GuestlessError);
      const before = same(host.openImage().size === 0 ? new Uint8Array(0) : contents(host), image());
      const untouched = before && host.journal === undefined;
      host.left = Number.POSITIVE_INFINITY;
      const outcome = runSync(recover(host));
      if (!untouched && outcome !== 'dropped') expect(same(contents(host), changed())).toBe(true);
      expect(same(contents(host), image()) || same(contents(host), changed())).toBe(true);
    }
  });
});

function contents(host: FragileHost): Uint8Array {
  const source = host.openImage();
  const bytes = new Uint8Array(source.size);
  source.readSync?.(0, bytes);
  return bytes;
}

describe('on real files', () => {
  let child = '';
  beforeAll(async () => {
    const bundle = await rolldown({ input: fileURLToPath(new URL('commit-child.ts', import.meta.url)), platform: 'node' });
    child = path.join(scratchFolder(), 'commit-child.mjs');
    await bundle.write({ file: child, format: 'esm' });
    await bundle.close();
  });

  const folder = scratchFolder();
  const newImage = (): string => {
    const file = path.join(fs.mkdtempSync(path.join(folder, 'image-')), 'disk.img');
    fs.writeFileSync(file, image());
    return file;
  };

  test.each([
    ['', []],
    [', data for blank places past the journal', ['1']],
  ])('killed with SIGKILL at the n-th effect, for every n%s', (_, least) => {
    let kills = 0;
    let finished = 0;
    for (let n = 0; ; n++) {
      const file = newImage();
      const result = spawnSync(process.execPath, [child, file, String(n), ...least]);
      if (result.status !== 0 && result.signal !== 'SIGKILL') throw new Error(result.stderr.toString());
      const outcome = runSync(recover(commitHost(file)));
      const bytes = new Uint8Array(fs.readFileSync(file));
      if (outcome === 'finished') finished++;
      expect(same(bytes, image()) || same(bytes, changed())).toBe(true);
      expect(fs.readdirSync(path.dirname(file))).toEqual(['disk.img']);
      if (result.signal === null) {
        expect(same(bytes, changed())).toBe(true);
        break;
      }
      kills++;
    }
    expect(kills).toBeGreaterThan(20);
    expect(finished).toBeGreaterThan(5);
  });

  const open = (file: string): OverlayDevice => {
    const overlay = new OverlayDevice(new SourceDevice(FileSource.open(file)));
    applyChanges(overlay);
    return overlay;
  };

  test('a commit writes the image; a second one finds it unchanged by others', async () => {
    const file = newImage();
    const host = commitHost(file);
    const overlay = open(file);
    const stamp = await runAsync(commitOverlay(overlay, RAW_IMAGE, host, host.stamp()));
    expect(same(new Uint8Array(fs.readFileSync(file)), changed())).toBe(true);
    expect(overlay.changed).toBe(false);
    runSync(overlay.write(0, new Uint8Array(10).fill(1)));
    runSync(commitOverlay(overlay, RAW_IMAGE, host, stamp));
    expect(fs.readFileSync(file).subarray(0, 11)).toEqual(Buffer.from([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, changed()[10] ?? 0]));
    expect(fs.readdirSync(path.dirname(file))).toEqual(['disk.img']);
  });

  test('random writes, zeros and discards: the same file as qemu-io makes', () => {
    const unit = 512;
    const operation = fc.record({
      kind: fc.constantFrom('write', 'zero', 'discard'),
      at: fc.nat(700).map((n) => n * unit),
      length: fc.integer({ min: 1, max: 300 }).map((n) => n * unit),
      pattern: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 12 }), (operations) => {
        const ours = newImage();
        const theirs = newImage();
        for (const file of [ours, theirs]) fs.truncateSync(file, 1 << 19);
        const overlay = new OverlayDevice(new SourceDevice(FileSource.open(ours)));
        const commands: string[] = [];
        for (const { kind, at, length, pattern } of operations) {
          const size = Math.min(length, (1 << 19) - at);
          commands.push('-c', kind === 'write' ? `write -P ${pattern} ${at} ${size}` : `write -z ${at} ${size}`);
          if (kind === 'write') runSync(overlay.write(at, new Uint8Array(size).fill(pattern)));
          else if (kind === 'zero') runSync(overlay.writeZeroes(at, size));
          else runSync(overlay.discard(at, size));
        }
        must('qemu-io', '-f', 'raw', ...commands, theirs);
        const host = commitHost(ours);
        runSync(commitOverlay(overlay, RAW_IMAGE, host, host.stamp()));
        must('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', ours, theirs);
      }),
      { numRuns: 15 },
    );
  });

  test('an image that somebody else changed or replaced is refused, and stays', () => {
    for (const meddle of [
      (file: string) => fs.writeFileSync(file, image().fill(9, 0, 10)),
      (file: string) => fs.truncateSync(file, 4096),
      (file: string) => {
        fs.renameSync(file, `${file}.old`);
        fs.writeFileSync(file, image());
      },
    ]) {
      const file = newImage();
      const host = commitHost(file);
      const stamp = host.stamp();
      const overlay = open(file);
      meddle(file);
      const meddled = fs.readFileSync(file);
      expect(() => runSync(commitOverlay(overlay, RAW_IMAGE, host, stamp))).toThrow(/changed by somebody else/);
      expect(fs.readFileSync(file).equals(meddled)).toBe(true);
      expect(fs.existsSync(file + JOURNAL_SUFFIX)).toBe(false);
    }
  });

  test('an image that a running qemu holds is refused', async () => {
    const file = newImage();
    fs.truncateSync(file, 1 << 20);
    const qemu = spawn('qemu-io', ['-f', 'raw', file], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await new Promise((resolve, reject) => {
        qemu.on('error', reject);
        qemu.stdout.once('data', resolve);
      });
      const host = commitHost(file);
      const overlay = open(file);
      expect(() => runSync(commitOverlay(overlay, RAW_IMAGE, host, host.stamp()))).toThrow(/in use.*lock of qemu/);
    } finally {
      const ended = new Promise((resolve) => qemu.on('exit', resolve));
      qemu.stdin.end('quit\n');
      await ended;
    }
    const host = commitHost(file);
    runSync(commitOverlay(open(file), RAW_IMAGE, host, host.stamp()));
    expect(
      fs
        .readFileSync(file)
        .subarray(100, 1100)
        .every((byte) => byte === 0xaa),
    ).toBe(true);
  });

  test('a journal of another file, a damaged one, and one that is no file are not replayed', () => {
    const file = newImage();
    let result = spawnSync(process.execPath, [child, file, '0']);
    const complete = ((): Buffer => {
      for (let n = 1; n < 100; n++) {
        fs.rmSync(file + JOURNAL_SUFFIX, { force: true });
        fs.writeFileSync(file, image());
        result = spawnSync(process.execPath, [child, file, String(n)]);
        if (fs.existsSync(file + JOURNAL_SUFFIX) && !same(new Uint8Array(fs.readFileSync(file)), image()))
          return fs.readFileSync(file + JOURNAL_SUFFIX);
      }
      throw new Error('no commit was interrupted after its journal was complete');
    })();
    expect(result.signal).toBe('SIGKILL');
    const damaged = Buffer.from(complete);
    damaged[damaged.length - 1]! ^= 1;
    fs.writeFileSync(file + JOURNAL_SUFFIX, damaged);
    expect(() => runSync(recover(commitHost(file)))).toThrow(Corrupt);
    expect(() => runSync(commitOverlay(open(file), RAW_IMAGE, commitHost(file), commitHost(file).stamp()))).toThrow(/open the image again/);
    const other = newImage();
    fs.writeFileSync(other + JOURNAL_SUFFIX, complete);
    expect(() => runSync(recover(commitHost(other)))).toThrow(/belongs to another file/);
    fs.writeFileSync(file + JOURNAL_SUFFIX, complete);
    expect(runSync(recover(commitHost(file)))).toBe('finished');
    expect(same(new Uint8Array(fs.readFileSync(file)), changed())).toBe(true);
    fs.writeFileSync(file + JOURNAL_SUFFIX, complete.subarray(0, 100));
    expect(runSync(recover(commitHost(file)))).toBe('dropped');
    fs.mkdirSync(file + JOURNAL_SUFFIX);
    expect(() => runSync(recover(commitHost(file)))).toThrow(Refused);
  });
});

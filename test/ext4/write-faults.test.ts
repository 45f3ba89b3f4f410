/** Writing while the storage fails: at the k-th read or write of each verb, then going on with the same mounted file system. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { Posix } from '../../src/errors.ts';
import { mountExt4, mountWritableExt4, type WritableExt4 } from '../../src/ext4/index.ts';
import type { FileSystem, NodeId } from '../../src/filesystem/filesystem.ts';
import { BufferedDevice } from '../../src/io/buffered-device.ts';
import { runSync } from '../../src/io/drivers.ts';
import type { Io } from '../../src/io/effect.ts';
import { MemorySource, SourceDevice, type WritableSource } from '../../src/io/source.ts';
import type { TransactionalDevice } from '../../src/io/transaction.ts';
import { WritableSourceDevice } from '../../src/io/writable-source-device.ts';
import { OverlayDevice } from '../../src/overlay/overlay.ts';
import { e2fsckComplaints } from '../support/oracle.ts';
import { blank, KINDS, type Kind, saved } from './workbench.ts';

/** Counts requests, and fails one of them. */
class Fault {
  at = 0;
  count = 0;
  #armed = false;

  /** The `at`-th request from now on fails. */
  arm(at: number): void {
    this.at = at;
    this.count = 0;
    this.#armed = true;
  }

  disarm(): void {
    this.#armed = false;
  }

  request(): void {
    if (!this.#armed || ++this.count !== this.at) return;
    throw new Posix('EIO', {}, 'the storage fails');
  }

  get happened(): boolean {
    return this.count >= this.at;
  }
}

class FaultySource implements WritableSource {
  readonly preferredRequest = 4096;
  readonly name = 'faulty';
  readonly #inner: MemorySource;
  readonly #fault: Fault;

  constructor(bytes: Uint8Array, fault: Fault) {
    this.#inner = new MemorySource(bytes);
    this.#fault = fault;
  }

  get size(): number {
    return this.#inner.size;
  }

  readSync(offset: number, target: Uint8Array): number {
    this.#fault.request();
    return this.#inner.readSync(offset, target);
  }

  writeSync(offset: number, bytes: Uint8Array): void {
    this.#fault.request();
    this.#inner.writeSync(offset, bytes);
  }

  truncateSync(size: number): void {
    this.#inner.truncateSync(size);
  }
}

/** Nothing of the overlay stays in memory: each of its clusters is a request. */
function overOverlay(image: Uint8Array, fault: Fault): TransactionalDevice {
  const base = new SourceDevice(new FaultySource(image, fault));
  return new OverlayDevice(base, { budget: 0, temporary: () => new FaultySource(new Uint8Array(4 << 20), fault) });
}

function overBuffer(image: Uint8Array, fault: Fault): TransactionalDevice {
  return new BufferedDevice(new WritableSourceDevice(new FaultySource(image.slice(), fault)));
}

const bytesOf = (device: TransactionalDevice): Uint8Array => runSync(device.read(0, device.size)).slice();
const name = encodeName;
const pattern = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 0xff);

/** Everything that can be seen of a file system, as text. */
function picture(system: FileSystem): string {
  const lines: string[] = [];
  const visit = (node: NodeId, path: string): void => {
    const stat = runSync(system.stat(node));
    const xattrs = runSync(system.xattrs(node)).map((one) => [Buffer.from(one.name).toString(), Buffer.from(one.value).toString('hex')]);
    let contents = '';
    if (stat.kind === 'file') {
      const bytes = new Uint8Array(Math.min(stat.size, 1 << 20));
      runSync(system.read(node, 0, bytes));
      contents = createHash('sha1').update(bytes).digest('hex');
    } else if (stat.kind === 'symlink') contents = Buffer.from(runSync(system.readlink(node))).toString();
    lines.push(JSON.stringify([path, stat, xattrs.sort(), contents]));
    if (stat.kind !== 'directory') return;
    for (let cursor: number | undefined = 0; cursor !== undefined; ) {
      const part: ReturnType<typeof readPart> = readPart(node, cursor);
      for (const entry of part.entries) visit(entry.node, `${path}/${Buffer.from(entry.name).toString()}`);
      cursor = part.next;
    }
  };
  const readPart = (node: NodeId, cursor: number) => runSync(system.readDirectory(node, cursor));
  visit(system.root, '');
  lines.push(JSON.stringify(runSync(system.usage())), Buffer.from(system.label).toString());
  return lines.join('\n');
}

/** What a fresh mount shows. */
const freshPicture = (device: TransactionalDevice): string =>
  picture(runSync(mountExt4(new SourceDevice(new MemorySource(bytesOf(device))))));

interface Verb {
  readonly name: string;
  readonly run: (system: WritableExt4) => Io<unknown>;
}

function* at(system: WritableExt4, path: string): Io<NodeId> {
  let node = system.root;
  for (const part of path.split('/').filter((one) => one !== '')) {
    const next = yield* system.lookup(node, name(part));
    if (next === undefined) throw new Error(`no ${path}`);
    node = next;
  }
  return node;
}

const many = (system: WritableExt4, directory: string, from: number, to: number): Io<void> =>
  system.transaction(function* () {
    const node = yield* at(system, directory);
    for (let i = from; i < to; i++) yield* system.create(node, name(`a-rather-long-name-for-an-entry-${i}`), { mode: 0o600 });
  });

/** A life of a file system in which every verb occurs, and most of the ways that they can go. */
const STORY: readonly Verb[] = [
  { name: 'mkdir', run: (s) => s.mkdir(s.root, name('d'), { mode: 0o750, uid: 7 }) },
  { name: 'create', run: (s) => s.create(s.root, name('f'), { mode: 0o640 }) },
  {
    name: 'write, small',
    run: function* (s) {
      yield* s.write(yield* at(s, 'f'), 0, pattern(50, 1));
    },
  },
  {
    name: 'write, long',
    run: function* (s) {
      yield* s.write(yield* at(s, 'f'), 30, pattern(150_000, 2));
    },
  },
  {
    name: 'write behind a hole',
    run: function* (s) {
      yield* s.write(yield* at(s, 'f'), 600_000, pattern(5000, 3));
    },
  },
  {
    name: 'overwrite',
    run: function* (s) {
      yield* s.write(yield* at(s, 'f'), 100_000, pattern(20_000, 4));
    },
  },
  {
    name: 'punch',
    run: function* (s) {
      yield* s.punch(yield* at(s, 'f'), 10_000, 70_000);
    },
  },
  {
    name: 'punch again',
    run: function* (s) {
      yield* s.punch(yield* at(s, 'f'), 110_000, 9000);
    },
  },
  {
    name: 'createFilled',
    run: (s) =>
      s.createFilled(s.root, name('filled'), {
        mode: 0o4755,
        uid: 70_000,
        contents: pattern(10_000, 7),
        atime: { seconds: 5, nanoseconds: 6 },
        mtime: { seconds: -7, nanoseconds: 8 },
        xattrs: [{ name: name('user.c'), value: pattern(300, 8) }],
      }),
  },
  { name: 'symlink, slow', run: (s) => s.symlink(s.root, name('l'), name('x'.repeat(200))) },
  { name: 'mknod', run: (s) => s.mknod(s.root, name('n'), 'block', { mode: 0o600 }, { major: 8, minor: 1 }) },
  {
    name: 'link',
    run: function* (s) {
      yield* s.link(yield* at(s, 'f'), yield* at(s, 'd'), name('g'));
    },
  },
  {
    name: 'setXattr',
    run: function* (s) {
      yield* s.setXattr(yield* at(s, 'f'), name('user.a'), pattern(20, 5));
    },
  },
  {
    name: 'setXattr, long',
    run: function* (s) {
      yield* s.setXattr(yield* at(s, 'f'), name('user.b'), pattern(500, 6));
    },
  },
  {
    name: 'setAttributes',
    run: function* (s) {
      yield* s.setAttributes(yield* at(s, 'd/g'), { mode: 0o4711, uid: 100_000 });
    },
  },
  { name: 'many names', run: (s) => many(s, 'd', 0, 70) },
  {
    name: 'rename over',
    run: function* (s) {
      yield* s.rename(s.root, name('l'), yield* at(s, 'd'), name('a-rather-long-name-for-an-entry-3'));
    },
  },
  {
    name: 'mkdir inside',
    run: function* (s) {
      yield* s.mkdir(yield* at(s, 'd'), name('e'), { mode: 0o755 });
    },
  },
  {
    name: 'rename directory',
    run: function* (s) {
      yield* s.rename(yield* at(s, 'd'), name('e'), s.root, name('e'));
    },
  },
  {
    name: 'removeXattr',
    run: function* (s) {
      yield* s.removeXattr(yield* at(s, 'f'), name('user.b'));
    },
  },
  {
    name: 'truncate',
    run: function* (s) {
      yield* s.truncate(yield* at(s, 'f'), 40_001);
    },
  },
  { name: 'unlink', run: (s) => s.unlink(s.root, name('f')) },
  {
    name: 'unlink, last',
    run: function* (s) {
      yield* s.unlink(yield* at(s, 'd'), name('g'));
    },
  },
  { name: 'rmdir', run: (s) => s.rmdir(s.root, name('e')) },
  { name: 'setLabel', run: (s) => s.setLabel(name('label')) },
];

const CHOSEN = ['ext2-1k-inode128', 'ext4-1k', 'bigalloc-small', 'inline-256', 'ea-inode', 'no-dir-index', 'ext4-map'];
const kinds: readonly Kind[] = KINDS.filter((kind) => CHOSEN.includes(kind.name)).map((kind) => ({
  ...kind,
  name: `${kind.name}, small`,
  size: '4M',
}));
/** At most so many of a verb's requests fail, evenly spread. */
const POINTS = 5;

const options = { now: () => ({ seconds: 1_750_000_000, nanoseconds: 0 }), random: () => 0x12345678 };

describe.each<[string, (image: Uint8Array, fault: Fault) => TransactionalDevice, readonly Kind[]]>([
  ['the overlay', overOverlay, kinds],
  ['a buffered device', overBuffer, kinds.slice(1, 3)],
])('over %s', (_, open, kinds) => {
  test.each([...kinds])('$name: whichever request fails, the verb did not happen and the next ones do', (kind) => {
    const fault = new Fault();
    const device = open(blank(kind), fault);
    const system = runSync(mountWritableExt4(device, { ...options, cacheBudget: 1 << 16 }));
    let faults = 0;
    for (const { name: what, run } of STORY) {
      const before = bytesOf(device);
      const seen = picture(system);
      // How many requests it makes, found by doing it inside of a transaction that is given up.
      fault.arm(Number.POSITIVE_INFINITY);
      const stop = new Error('given up');
      const rehearsal = (): void =>
        void runSync(
          system.transaction(function* () {
            yield* run(system);
            throw stop;
          }),
        );
      expect(rehearsal).toThrow(stop);
      const requests = fault.count;
      const step = Math.max(1, Math.floor(requests / POINTS));
      for (let k = 1 + (faults % step); k <= requests + step; k += step) {
        fault.arm(k);
        let error: unknown;
        try {
          runSync(run(system));
        } catch (caught) {
          error = caught;
        }
        fault.disarm();
        if (error === undefined) break;
        expect(error, `${what}, request ${k}`).toMatchObject({ code: 'EIO' });
        faults++;
        expect(Buffer.compare(bytesOf(device), before), `${what}, request ${k}: bytes`).toBe(0);
        expect(picture(system), `${what}, request ${k}`).toBe(seen);
      }
      fault.disarm();
      if (picture(system) === seen) runSync(run(system));
      expect(picture(system), what).not.toBe(seen);
      expect(picture(system), what).toBe(freshPicture(device));
    }
    expect(faults).toBeGreaterThan(50);
    saved(bytesOf(device), (file) => expect(e2fsckComplaints(file)).toBe(''));
  });

  test.each([...kinds])('$name: inside of a transaction a verb fails alone, and the transaction as a whole', (kind) => {
    const fault = new Fault();
    const device = open(blank(kind), fault);
    const system = runSync(mountWritableExt4(device, { ...options, cacheBudget: 1 << 16 }));
    const failing = function* (verb: Verb, k: number): Io<boolean> {
      fault.arm(k);
      try {
        yield* verb.run(system);
        return false;
      } catch (error) {
        expect(error).toMatchObject({ code: 'EIO' });
        return true;
      } finally {
        fault.disarm();
      }
    };
    const before = bytesOf(device);
    const seen = picture(system);
    let alone = 0;
    const whole = function* (until: number): Io<void> {
      for (const [i, verb] of STORY.slice(0, until).entries()) {
        let done = false;
        for (const k of [1, 2 + (i % 3), 6 + i]) {
          const now = picture(system);
          done = !(yield* failing(verb, k));
          if (done) break;
          alone++;
          expect(picture(system), `${verb.name}, request ${k}`).toBe(now);
        }
        if (!done) yield* verb.run(system);
      }
    };
    const stop = new Error('given up');
    for (const until of [5, STORY.length]) {
      expect(() =>
        runSync(
          system.transaction(function* () {
            yield* whole(until);
            throw stop;
          }),
        ),
      ).toThrow(stop);
      expect(picture(system)).toBe(seen);
      expect(Buffer.compare(bytesOf(device), before)).toBe(0);
    }
    const plain = function* (): Io<void> {
      for (const verb of STORY) yield* verb.run(system);
    };
    for (let k = 1; ; k = Math.ceil(k * 1.7)) {
      fault.arm(k);
      let failed = false;
      try {
        runSync(system.transaction(() => system.transaction(plain)));
      } catch (error) {
        expect(error).toMatchObject({ code: 'EIO' });
        failed = true;
      }
      fault.disarm();
      if (!failed) break;
      expect(Buffer.compare(bytesOf(device), before), `request ${k}`).toBe(0);
      expect(picture(system), `request ${k}`).toBe(seen);
    }
    expect(alone).toBeGreaterThan(5);
    expect(picture(system)).toBe(freshPicture(device));
    saved(bytesOf(device), (file) => expect(e2fsckComplaints(file)).toBe(''));
  });

  test.each([...kinds])('$name: in a whole transaction no verb fails alone, whatever is made of its error', (kind) => {
    const fault = new Fault();
    const device = open(blank(kind), fault);
    const system = runSync(mountWritableExt4(device, { ...options, cacheBudget: 1 << 16 }));
    runSync(many(system, '', 0, 3));
    const before = bytesOf(device);
    const seen = picture(system);
    const story = function* (): Io<void> {
      for (const verb of STORY) {
        try {
          yield* verb.run(system);
        } catch {
          // Goes on, in vain.
        }
      }
    };
    let failures = 0;
    for (let k = 1; ; k = Math.ceil(k * 1.4)) {
      fault.arm(k);
      let error: unknown;
      try {
        runSync(system.transaction(story, { whole: true }));
      } catch (caught) {
        error = caught;
      }
      fault.disarm();
      if (error === undefined) break;
      failures++;
      expect(error, `request ${k}`).toMatchObject({ code: 'EIO' });
      expect(Buffer.compare(bytesOf(device), before), `request ${k}`).toBe(0);
      expect(picture(system), `request ${k}`).toBe(seen);
    }
    expect(failures).toBeGreaterThan(3);
    expect(picture(system)).toBe(freshPicture(device));
    saved(bytesOf(device), (file) => expect(e2fsckComplaints(file)).toBe(''));
  });
});

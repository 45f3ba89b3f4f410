/** Making file systems for tests: into sparse files, beside those of the real mke2fs. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Bytes } from '../../src/bytes/struct.ts';
import { type MakeExt4Options, makeExt4 } from '../../src/ext4/mkfs/index.ts';
import { checkRange, type Extent, type WritableDevice } from '../../src/io/device.ts';
import { runSync } from '../../src/io/drivers.ts';
import type { Io } from '../../src/io/effect.ts';
import { scratchFolder } from '../support/images.ts';
import { must, run } from '../support/oracle.ts';

export const folder: string = scratchFolder('guestless-mkfs-');
let counter = 0;

/** A new sparse file as a device: it knows that what nobody wrote reads as zeros. */
export class SparseFile implements WritableDevice {
  readonly name: string;
  readonly size: number;
  readonly preferredRequest = 4096;
  /** Bytes that were written. */
  written = 0;
  readonly #descriptor: number;

  constructor(size: number, name: string = path.join(folder, `${counter++}.img`)) {
    this.name = name;
    this.size = size;
    this.#descriptor = fs.openSync(name, 'w+');
    fs.ftruncateSync(this.#descriptor, size);
  }

  // biome-ignore lint/correctness/useYield: a file of the test's own
  *read(offset: number, length: number): Io<Bytes> {
    checkRange(this, offset, length);
    const target = new Uint8Array(length);
    fs.readSync(this.#descriptor, target, 0, length, offset);
    return target;
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    target.set(yield* this.read(offset, target.length));
  }

  // biome-ignore lint/correctness/useYield: the same
  *map(offset: number, length: number): Io<Extent> {
    checkRange(this, offset, length);
    return { length, present: this.written > 0, zero: this.written === 0, data: this.written > 0, depth: 0 };
  }

  // biome-ignore lint/correctness/useYield: the same
  *write(offset: number, bytes: Bytes): Io<void> {
    checkRange(this, offset, bytes.length);
    this.written += bytes.length;
    for (let done = 0; done < bytes.length; ) done += fs.writeSync(this.#descriptor, bytes, done, bytes.length - done, offset + done);
  }

  /** A new file has nothing but zeros where this library clears something. */
  // biome-ignore lint/correctness/useYield: the same
  *writeZeroes(offset: number, length: number): Io<void> {
    checkRange(this, offset, length);
  }

  discard(offset: number, length: number): Io<void> {
    return this.writeZeroes(offset, length);
  }

  *flush(): Io<void> {}

  remove(): void {
    fs.closeSync(this.#descriptor);
    fs.rmSync(this.name);
  }
}

export const UUID = '3f0c2a4e-5d1b-4c7a-9b1e-0a1b2c3d4e5f';
export const SEED_UUID = '8a7d0f3e-4b0e-4a5c-9d43-2f4a1ec5a111';
export const NOW = 1_750_000_000;

/** A file system of ours in a new sparse file. */
export function ours(size: number, options: MakeExt4Options): SparseFile {
  const file = new SparseFile(size);
  runSync(makeExt4(file, { uuid: UUID, hashSeed: SEED_UUID, now: NOW, ...options }));
  return file;
}

/** The options of mke2fs that say the same as ours. */
export function wordsOf(options: MakeExt4Options): string[] {
  const words: string[] = ['-t', options.type ?? 'ext4'];
  const add = (word: string, value: unknown): void => {
    if (value !== undefined) words.push(word, String(value));
  };
  add('-b', options.blockSize);
  add('-I', options.inodeSize);
  add('-i', options.inodeRatio);
  add('-N', options.inodesCount);
  add('-g', options.blocksPerGroup);
  add('-G', options.groupsPerFlex);
  add('-O', options.features);
  add('-m', options.reservedPercentage);
  add('-T', options.usageType);
  if (options.journalSize !== undefined) words.push('-J', `size=${options.journalSize}`);
  return words;
}

/** What the real mke2fs makes of the same; undefined when it refuses. */
export function theirs(size: number, options: MakeExt4Options): string | undefined {
  const name = path.join(folder, `real-${counter++}.img`);
  fs.closeSync(fs.openSync(name, 'w'));
  fs.truncateSync(name, size);
  const extended = ['lazy_itable_init=0,lazy_journal_init=1', `hash_seed=${SEED_UUID}`];
  if (options.maximumOnlineResize !== undefined) extended.push(`resize=${options.maximumOnlineResize}`);
  const words = ['-q', '-F', '-U', UUID, '-E', extended.join(','), ...wordsOf(options), name];
  if (options.blocksCount !== undefined) words.push(String(options.blocksCount));
  if (run('mke2fs', words).status === 0) return name;
  fs.rmSync(name);
  return undefined;
}

/** What dumpe2fs says of an image, without what differs from one making to the next. */
export function described(image: string): string[] {
  return must('dumpe2fs', image)
    .split('\n')
    .filter((line) => !/^(Filesystem created|Last write time|Last checked|Lifetime writes|Checksum): /.test(line))
    .map((line) => line.replace(/,? ?csum 0x[0-9a-f]+/, '').trimEnd());
}

/** The lines in which two descriptions differ. */
export function difference(got: readonly string[], expected: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < Math.max(got.length, expected.length) && lines.length < 12; i++) {
    if (got[i] !== expected[i]) lines.push(`${i}: ours ${got[i] ?? 'ends'} | mke2fs ${expected[i] ?? 'ends'}`);
  }
  return lines;
}

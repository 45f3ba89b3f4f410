/** Images in memory that record their writes, fail on request, and are judged by qemu-img. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Posix } from '../../src/errors.ts';
import { RawImage } from '../../src/image/index.ts';
import { MemorySource, runSync } from '../../src/io/index.ts';
import type { WritableSource } from '../../src/io/source.ts';
import { nodeCodecs } from '../../src/platform/node/index.ts';
import { type Layer, openWritableQcow2, readMetadata, type WritableQcow2 } from '../../src/qcow2/index.ts';
import { scratchFolder } from '../support/images.ts';
import { must, run } from '../support/oracle.ts';

export const folder: string = scratchFolder('guestless-qcow2-');

/** A growing file in memory. */
export class Recorder implements WritableSource {
  readonly name: string;
  readonly preferredRequest = 4096;
  readonly log: { readonly offset: number; readonly bytes: Uint8Array; readonly size?: number }[] = [];
  /** Which write from now on fails; counts down. */
  failIn = 0;
  #bytes: Uint8Array;
  size: number;

  constructor(bytes: Uint8Array = new Uint8Array(0), name = 'image') {
    this.name = name;
    this.#bytes = new Uint8Array(bytes);
    this.size = bytes.length;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.size);
  }

  readSync(offset: number, target: Uint8Array): number {
    const part = this.bytes.subarray(offset, offset + target.length);
    target.set(part);
    return part.length;
  }

  writeSync(offset: number, bytes: Uint8Array): void {
    if (this.failIn > 0 && --this.failIn === 0) throw new Posix('EIO', { image: this.name });
    this.log.push({ offset, bytes: new Uint8Array(bytes) });
    this.#reach(offset + bytes.length);
    this.#bytes.set(bytes, offset);
  }

  truncateSync(size: number): void {
    if (this.failIn > 0 && --this.failIn === 0) throw new Posix('EIO', { image: this.name });
    this.log.push({ offset: 0, bytes: new Uint8Array(0), size });
    if (size < this.size) this.#bytes.fill(0, size, this.size);
    this.size = size;
    this.#reach(size);
  }

  #reach(end: number): void {
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.size = Math.max(this.size, end);
  }
}

/** Shows the states of a file after each of its recorded writes, or after about `most` of them, the last among them. */
export function eachPrefix(before: Uint8Array, log: Recorder['log'], visit: (state: Uint8Array) => void, most: number = log.length): void {
  const file = new Recorder(before);
  const every = Math.max(1, Math.floor(log.length / most));
  log.forEach(({ offset, bytes, size }, i) => {
    if (size === undefined) file.writeSync(offset, bytes);
    else file.truncateSync(size);
    if ((i + 1) % every === 0 || i + 1 === log.length) visit(file.bytes);
  });
}

/** Puts bytes into a file of the scratch folder; its path. */
export function onDisk(bytes: Uint8Array, name: string): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, bytes);
  return file;
}

/** What qemu-img check counts. */
export function checked(file: string): { corruptions: number; leaks: number; errors: number } {
  const { stdout, stderr } = run('qemu-img', ['check', '-f', 'qcow2', '--output=json', file]);
  let report: Record<string, number>;
  try {
    report = JSON.parse(stdout.toString());
  } catch {
    throw new Error(`qemu-img check: ${stderr}`);
  }
  return { corruptions: report['corruptions'] ?? 0, leaks: report['leaks'] ?? 0, errors: report['check-errors'] ?? 0 };
}

export const CLEAN = { corruptions: 0, leaks: 0, errors: 0 };

/** The disk as qemu-img reads it. */
export function asRaw(file: string, ...options: string[]): Buffer {
  const raw = path.join(folder, 'converted.raw');
  must('qemu-img', 'convert', '-O', 'raw', ...options, file, raw);
  return fs.readFileSync(raw);
}

/** An image made by qemu-img, as bytes. */
export function made(size: number | string, options: string, ...more: string[]): Uint8Array {
  const file = path.join(folder, 'made.qcow2');
  fs.rmSync(file, { force: true });
  must('qemu-img', 'create', '-q', '-f', 'qcow2', ...(options === '' ? [] : ['-o', options]), ...more, file, String(size));
  return fs.readFileSync(file);
}

export function openWritable(source: WritableSource, backing?: Uint8Array, dataFile?: WritableSource): WritableQcow2 {
  const layer: Layer | undefined = backing === undefined ? undefined : new RawImage(new MemorySource(backing));
  return runSync(
    openWritableQcow2(source, {
      codecs: nodeCodecs,
      ...(layer === undefined ? {} : { backing: layer }),
      ...(dataFile === undefined ? {} : { dataFile }),
    }),
  );
}

export function headerOf(bytes: Uint8Array): ReturnType<typeof readMetadata> extends Generator<unknown, infer M, unknown> ? M : never {
  return runSync(readMetadata(new MemorySource(bytes)));
}

/** A FAT image in memory that is written by us and judged by fsck.vfat and mtools. */
import * as fs from 'node:fs';
import path from 'node:path';
import { encodeName } from '../../src/bytes/text.ts';
import { Posix } from '../../src/errors.ts';
import type { NodeId, Timestamp } from '../../src/filesystem/filesystem.ts';
import { BufferedDevice } from '../../src/io/buffered-device.ts';
import { runSync } from '../../src/io/drivers.ts';
import { MemorySource } from '../../src/io/source.ts';
import { WritableSourceDevice } from '../../src/io/writable-source-device.ts';
import { mountWritableVfat, type WritableVfat, type WritableVfatOptions } from '../../src/vfat/writable.ts';
import { scratchFolder } from '../support/images.ts';
import { fsckVfatComplaints, must, run } from '../support/oracle.ts';
import { type Volume, withSync } from './volume.ts';

export const NOW: Timestamp = { seconds: 1_735_732_801, nanoseconds: 0 };
const folder = scratchFolder('guestless-vfat-');
let counter = 0;

/** A new image by mkfs.vfat. */
export function mkfs(kibibytes: number, ...options: string[]): Uint8Array {
  const file = path.join(folder, `mkfs-${counter++}.img`);
  must('mkfs.vfat', '--invariant', '-C', ...options, file, String(kibibytes));
  const bytes = fs.readFileSync(file);
  fs.rmSync(file);
  return new Uint8Array(bytes);
}

export interface Workbench {
  readonly source: FaultySource;
  readonly vfat: Volume<WritableVfat>;
}

/** Bytes in memory whose n-th read or write can be made to fail. */
export class FaultySource extends MemorySource {
  /** Which of the next reads and writes fails; 0: none. */
  countdown = 0;

  #count(): void {
    if (this.countdown > 0 && --this.countdown === 0) throw new Posix('EIO', {}, 'injected');
  }

  override readSync(offset: number, target: Uint8Array): number {
    this.#count();
    return super.readSync(offset, target);
  }

  override writeSync(offset: number, bytes: Uint8Array): void {
    this.#count();
    super.writeSync(offset, bytes);
  }
}

export function workbench(image: Uint8Array, options: WritableVfatOptions = {}): Workbench {
  const source = new FaultySource(image.slice());
  const device = new BufferedDevice(new WritableSourceDevice(source));
  return { source, vfat: withSync(runSync(mountWritableVfat(device, { clock: () => NOW, ...options }))) };
}

/** The image as a file, for real tools. */
export function saved<T>(bytes: Uint8Array, judge: (file: string) => T): T {
  const file = path.join(folder, `image-${counter++}.img`);
  fs.writeFileSync(file, bytes);
  try {
    return judge(file);
  } finally {
    fs.rmSync(file);
  }
}

/** The remark about a FAT32 that mkfs.vfat was told to make too small; it says nothing about what is in it. */
const SMALL_FAT32 =
  /Warning: Filesystem is FAT32 according to[^\n]*\n {2}but has only \d+ clusters[^\n]*\n {2}This may lead to problems[^\n]*\n?/;

/** What fsck.vfat has against the image; empty when it is clean. */
export function complaints(bytes: Uint8Array): string {
  const said = saved(bytes, fsckVfatComplaints);
  const rest = said.replace(SMALL_FAT32, '');
  return rest.trim() === 'exit 0' && rest !== said ? '' : rest;
}

/** All files below the root as mtools copies them out: path to contents, directories as undefined. */
export function mtoolsTree(bytes: Uint8Array): Map<string, string | undefined> {
  return saved(bytes, (image) => {
    const out = path.join(folder, `out-${counter++}`);
    fs.mkdirSync(out);
    const outcome = run('env', ['LC_ALL=C.UTF-8', 'MTOOLS_SKIP_CHECK=1', 'mcopy', '-s', '-n', '-Q', '-i', image, '::/*', out]);
    if (outcome.status !== 0 && !/No match|not found/.test(outcome.stderr)) throw new Error(`mcopy: ${outcome.stderr}`);
    const tree = new Map<string, string | undefined>();
    const visit = (directory: string, prefix: string): void => {
      for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
        const where = path.join(directory, entry.name);
        tree.set(`${prefix}/${entry.name}`, entry.isDirectory() ? undefined : fs.readFileSync(where, 'latin1'));
        if (entry.isDirectory()) visit(where, `${prefix}/${entry.name}`);
      }
    };
    visit(out, '');
    fs.rmSync(out, { recursive: true });
    return tree;
  });
}

/** The verbs on paths. */
export class Hands {
  readonly vfat: Volume<WritableVfat>;
  constructor(vfat: Volume<WritableVfat>) {
    this.vfat = vfat;
  }

  node(where: string): NodeId {
    const node = this.vfat.sync.resolve(where);
    if (node === undefined) throw new Error(`no ${where}`);
    return node;
  }

  parent(where: string): [NodeId, Uint8Array] {
    return [this.node(path.posix.dirname(where)), encodeName(path.posix.basename(where))];
  }

  create(where: string, contents: Uint8Array | string = ''): NodeId {
    const node = runSync(this.vfat.create(...this.parent(where), { mode: 0o644 }));
    if (contents.length > 0) this.write(node, 0, contents);
    return node;
  }

  write(node: NodeId, offset: number, contents: Uint8Array | string): void {
    runSync(this.vfat.write(node, offset, typeof contents === 'string' ? encodeName(contents) : contents));
  }

  mkdir(where: string): NodeId {
    return runSync(this.vfat.mkdir(...this.parent(where), { mode: 0o755 }));
  }

  unlink(where: string): void {
    runSync(this.vfat.unlink(...this.parent(where)));
  }

  rmdir(where: string): void {
    runSync(this.vfat.rmdir(...this.parent(where)));
  }

  rename(from: string, to: string): void {
    runSync(this.vfat.rename(...this.parent(from), ...this.parent(to)));
  }

  truncate(where: string, size: number): void {
    runSync(this.vfat.truncate(this.node(where), size));
  }

  text(where: string): string {
    const stat = this.vfat.sync.stat(this.node(where));
    const target = new Uint8Array(stat.size);
    runSync(this.vfat.read(stat.node, 0, target));
    return Buffer.from(target).toString('latin1');
  }
}

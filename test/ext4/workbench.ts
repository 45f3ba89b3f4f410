/** ext2/3/4 images in memory that are changed by us and by a model, and judged by e2fsck, the kernel and debugfs. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { encodeName } from '../../src/bytes/text.ts';
import { mountExt4 } from '../../src/ext4/index.ts';
import { mountWritableExt4, type WritableExt4 } from '../../src/ext4/write/writable-ext4.ts';
import type { FileSystem, Timestamp, WritableFileSystem } from '../../src/filesystem/filesystem.ts';
import { BufferedDevice } from '../../src/io/buffered-device.ts';
import { runSync } from '../../src/io/drivers.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { WritableSourceDevice } from '../../src/io/writable-source-device.ts';
import {
  type CompareOptions,
  compareTrees,
  MemoryFileSystem,
  type Operation,
  operationSequences,
  outcomeOf,
  pathsOf,
} from '../../src/testing/index.ts';
import { FIXTURES, scratchFolder, writeSparse } from '../support/images.ts';
import { e2fsckComplaints, must } from '../support/oracle.ts';
import { type GoldenNode, walk } from './golden.ts';

const folder = scratchFolder('guestless-ext4-write-');
let counter = 0;

/** A kind of file system: how mke2fs makes it, and what it cannot do. */
export interface Kind {
  readonly name: string;
  readonly size: string;
  readonly options: readonly string[];
  /** Commands of debugfs on the new image. */
  readonly after?: readonly string[];
  /** Times are whole seconds until 2038. */
  readonly oldTimes?: boolean;
  /** Longest target of a symbolic link, in bytes. */
  readonly maximumTarget?: number;
  /** No file is longer, in bytes. */
  readonly maximumOffset?: number;
  /** This kernel does not mount it. */
  readonly unmountable?: boolean;
}

const kind = (name: string, size: string, options: string, rest: Partial<Kind> = {}): Kind => ({
  name,
  size,
  options: options.split(' '),
  ...rest,
});
/** A block map of blocks of 1 KiB ends at 16 GiB. */
const MAPPED = { maximumOffset: 2 ** 34 };

export const KINDS: readonly Kind[] = [
  kind('ext2-1k-inode128', '8M', '-t ext2 -b 1024 -I 128', { ...MAPPED, oldTimes: true }),
  kind('ext2-4k', '32M', '-t ext2 -b 4096 -I 256', { ...MAPPED }),
  kind('rev0', '8M', '-t ext2 -r 0 -b 1024 -I 128', { maximumOffset: 2 ** 31 - 1, oldTimes: true }),
  kind('ext2-nofiletype', '8M', '-t ext2 -b 1024 -O ^filetype', { ...MAPPED }),
  kind('ext3', '16M', '-t ext3 -b 2048 -I 256 -J size=2', { ...MAPPED }),
  kind('ext4-1k', '16M', '-t ext4 -b 1024 -J size=1'),
  kind('ext4-2k', '16M', '-t ext4 -b 2048 -O ^has_journal'),
  kind('ext4-4k', '32M', '-t ext4 -b 4096 -J size=4'),
  kind('ext4-inode128', '8M', '-t ext4 -b 1024 -I 128 -O ^has_journal', { oldTimes: true }),
  kind('ext4-64k', '256M', '-t ext4 -b 65536 -O ^has_journal -N 800', { unmountable: true }),
  kind('bigalloc-small', '16M', '-t ext4 -b 1024 -O bigalloc,^has_journal,^resize_inode -C 4096'),
  kind('bigalloc-large', '128M', '-t ext4 -b 4096 -O bigalloc,^has_journal,^resize_inode -C 65536'),
  kind('inline-256', '16M', '-t ext4 -b 1024 -O inline_data,^has_journal -I 256'),
  kind('inline-512', '16M', '-t ext4 -b 4096 -O inline_data,^has_journal -I 512'),
  kind('inline-1024', '16M', '-t ext4 -b 2048 -O inline_data,ea_inode,^has_journal -I 1024'),
  kind('meta-bg', '16M', '-t ext4 -b 1024 -O meta_bg,^resize_inode,^has_journal -g 256 -N 2000'),
  kind('gdt-csum', '16M', '-t ext4 -b 1024 -O ^metadata_csum,uninit_bg,^has_journal'),
  kind('no64bit', '16M', '-t ext4 -b 1024 -O ^metadata_csum,^64bit,^has_journal'),
  kind('ext4-map', '16M', '-t ext4 -b 1024 -O ^extents,^64bit,^has_journal', { ...MAPPED }),
  kind('csum-seed-orphan-file', '16M', '-t ext4 -b 1024 -O metadata_csum_seed,orphan_file,has_journal -J size=1'),
  kind('no-dir-index', '16M', '-t ext4 -b 1024 -O ^dir_index,^has_journal'),
  kind('no-filetype', '16M', '-t ext4 -b 1024 -O ^filetype,^has_journal'),
  kind('ea-inode', '16M', '-t ext4 -b 1024 -O ea_inode,^has_journal'),
  kind('large-dir', '16M', '-t ext4 -b 1024 -O large_dir,^has_journal'),
  kind('sparse-super2', '16M', '-t ext4 -b 1024 -O sparse_super2,^has_journal,^resize_inode -g 1024'),
  kind('tiny-groups', '16M', '-t ext4 -b 1024 -O ^flex_bg,^has_journal,^resize_inode -g 256 -N 2000'),
  kind('flex-4', '16M', '-t ext4 -b 1024 -G 4 -g 512 -N 2000 -O ^has_journal,^resize_inode'),
  kind('casefold-feature', '16M', '-t ext4 -b 1024 -O casefold,^has_journal', { unmountable: true }),
  kind('encrypt-feature', '16M', '-t ext4 -b 1024 -O encrypt,^has_journal'),
  kind('tea-unsigned', '16M', '-t ext4 -b 1024 -O ^has_journal -E hash_seed=8a7d0f3e-4b0e-4a5c-9d43-2f4a1ec5a111', {
    after: ['ssv def_hash_version tea', 'ssv flags 2'],
  }),
];

/** The seed of random tests: fixed, unless the environment has one. */
export const SEED: number = Number(process.env['GUESTLESS_FUZZ_SEED'] ?? 20_250_601);

/** Sequences of operations that a kind of file system can hold. */
export function operationsFor(kind: Kind, maximum = 60): fc.Arbitrary<readonly Operation[]> {
  const { oldTimes, maximumTarget, maximumOffset } = kind;
  return operationSequences(fc, {
    maximum,
    ...(oldTimes === undefined ? {} : { oldTimes }),
    ...(maximumTarget === undefined ? {} : { maximumTarget }),
    ...(maximumOffset === undefined ? {} : { maximumOffset }),
  });
}

/** A new file system. */
export function mke2fs({ size, options, after = [] }: Kind): Uint8Array {
  const file = path.join(folder, `new-${counter++}.img`);
  must('mke2fs', '-q', '-F', ...options, file, size);
  for (const command of after) must('debugfs', '-w', '-R', command, file);
  const bytes = new Uint8Array(fs.readFileSync(file));
  fs.rmSync(file);
  return bytes;
}

const made = new Map<string, Uint8Array>();

/** A new file system of a kind; made once. */
export function blank(kind: Kind): Uint8Array {
  let image = made.get(kind.name);
  if (image === undefined) made.set(kind.name, (image = mke2fs(kind)));
  return image;
}

/** The image as a file, for real tools. */
export function saved<T>(bytes: Uint8Array, judge: (file: string) => T): T {
  const file = path.join(folder, `image-${counter++}.img`);
  writeSparse(file, bytes);
  try {
    return judge(file);
  } finally {
    fs.rmSync(file);
  }
}

/** A clock that two file systems share: it stands still within an operation. */
export class SharedClock {
  #time: Timestamp = { seconds: 1_750_000_000, nanoseconds: 0 };
  readonly #step: number;

  /** `wholeSeconds`: it never has nanoseconds. */
  constructor(wholeSeconds = false) {
    this.#step = wholeSeconds ? 0 : 123_456_789;
  }

  readonly now = (): Timestamp => this.#time;

  set(time: Timestamp): void {
    this.#time = time;
  }

  tick(): void {
    const nanoseconds = this.#time.nanoseconds + this.#step;
    this.#time = { seconds: this.#time.seconds + 1 + Math.floor(nanoseconds / 1e9), nanoseconds: nanoseconds % 1e9 };
  }
}

/** An image, the writer on it, and the model that has to be its equal. */
export class Bench {
  readonly kind: Kind;
  readonly source: MemorySource;
  readonly ext4: WritableExt4;
  readonly model: MemoryFileSystem;
  readonly clock: SharedClock;
  /** How many operations found no room where the model has all there is. */
  full = 0;
  /** How each operation ended. */
  readonly outcomes: string[] = [];

  /** `model`: what the image is known to hold; by default nothing but what mke2fs makes. */
  constructor(kind: Kind, image: Uint8Array = blank(kind).slice(), model: MemoryFileSystem | 'unknown' | 'new' = 'new') {
    this.kind = kind;
    this.clock = new SharedClock(kind.oldTimes);
    this.source = new MemorySource(image);
    const device = new BufferedDevice(new WritableSourceDevice(this.source));
    let random = 1;
    this.ext4 = runSync(
      mountWritableExt4(device, {
        now: this.clock.now,
        random: () => (random = (Math.imul(random, 1664525) + 1013904223) >>> 0),
      }),
    );
    this.model = typeof model === 'object' ? model : new MemoryFileSystem({ clock: this.clock.now, directoryPart: 10_000 });
    if (model === 'new') copyTree(this.ext4, this.model, this.clock);
  }

  /** Performs an operation on both; what differs, or nothing. */
  step(operation: Operation): string | undefined {
    this.clock.tick();
    const got = runSync(outcomeOf(this.ext4, operation));
    this.outcomes.push(got);
    if (got === 'ENOSPC') {
      this.full++;
      return this.#mayBeFull(operation) ? undefined : `${show(operation)}: ENOSPC`;
    }
    const expected = runSync(outcomeOf(this.model, operation));
    return got === expected ? undefined : `${show(operation)}: ${got} instead of ${expected}`;
  }

  #mayBeFull(operation: Operation): boolean {
    const { freeBlocks, blocks, freeInodes } = runSync(this.ext4.usage());
    // An attribute has the inode and one block at most; a value of 100 bytes may find both taken by others.
    if (operation.verb === 'setXattr') return true;
    return freeBlocks < blocks / 8 || freeInodes === 0;
  }

  /** What is wrong after a sequence: trees that differ (in memory, and read anew from the image), complaints of e2fsck. */
  verdict(options: CompareOptions = { times: 'all' }): string[] {
    const wrong = this.differences(this.ext4, options);
    const reread = runSync(mountExt4(new SourceDevice(this.source)));
    if (wrong.length === 0) wrong.push(...runSync(compareTrees(reread, this.ext4, { times: 'all' })));
    const complaints = this.complaints();
    if (complaints !== '') wrong.push(complaints);
    return wrong.slice(0, 8).map((line) => (line.length > 1000 ? `${line.slice(0, 100)} ... ${line.slice(-300)}` : line));
  }

  /** What e2fsck has against the image. */
  complaints(): string {
    return saved(this.source.bytes, e2fsckComplaints);
  }

  differences(tree: FileSystem, options: CompareOptions = { times: 'all' }): string[] {
    return runSync(compareTrees(tree, this.model, options));
  }
}

/** Makes the model equal to what a new image holds. */
export function copyTree(from: WritableFileSystem, to: MemoryFileSystem, clock: SharedClock): void {
  const now = clock.now();
  for (const { path: where, node } of runSync(pathsOf(from))) {
    const stat = runSync(from.stat(node));
    if (where !== '') {
      const slash = where.lastIndexOf('/');
      const parent = runSync(pathsOf(to)).find((each) => each.path === where.slice(0, slash));
      if (stat.kind !== 'directory' || parent === undefined) throw new Error(`a new image with ${where}`);
      runSync(to.mkdir(parent.node, encodeName(where.slice(slash + 1)), { mode: stat.mode & 0o7777 }));
    }
  }
  for (const { path: where, node } of runSync(pathsOf(from)).reverse()) {
    const { mode, uid, gid, atime, mtime, ctime } = runSync(from.stat(node));
    const copy = runSync(pathsOf(to)).find((each) => each.path === where);
    if (copy === undefined) throw new Error(`no ${where}`);
    clock.set(ctime);
    runSync(to.setAttributes(copy.node, { mode: mode & 0o7777, uid, gid, atime, mtime }));
  }
  clock.set(now);
}

/** An operation for people. */
export function show(operation: Operation): string {
  return JSON.stringify(operation);
}

/** Whether loop mounts work here. */
export const KERNEL: boolean = process.getuid?.() === 0 && fs.existsSync('/dev/loop-control');

/** Whether the kernel can be asked about a kind of file system. Without root nobody is asked: then e2fsck alone judges. */
export function isMountable(kind: Kind): boolean {
  return KERNEL && kind.unmountable !== true;
}

/** The tree as the kernel shows it through a loop mount. */
export function kernelWalk(file: string): readonly GoldenNode[] {
  return mounted(file, 'ro', (mount) => {
    const out = path.join(folder, `walk-${counter++}.json`);
    must('python3', path.join(FIXTURES, 'ext4/golden.py'), mount, out, 'kernel');
    const { nodes } = JSON.parse(fs.readFileSync(out, 'utf8')) as { nodes: GoldenNode[] };
    fs.rmSync(out);
    return nodes;
  });
}

/** Runs `body` while the kernel has the image mounted. */
export function mounted<T>(file: string, options: string, body: (mount: string) => T): T {
  const mount = path.join(folder, `mount-${counter++}`);
  fs.mkdirSync(mount);
  must('mount', '-o', `loop,user_xattr,acl,${options}`, file, mount);
  try {
    return body(mount);
  } finally {
    must('umount', mount);
    fs.rmdirSync(mount);
  }
}

/** The same walk by us. */
export function ourWalk(ext4: WritableExt4): readonly GoldenNode[] {
  return runSync(walk(ext4));
}

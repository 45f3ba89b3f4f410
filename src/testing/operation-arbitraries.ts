/** Random sequences of {@link Operation}s for fast-check. Sequences are concrete: absolute paths, printable, repeatable; they shrink. */
import type fc from 'fast-check';
import type { Attributes, Timestamp } from '../filesystem/filesystem.ts';
import { runSync } from '../io/drivers.ts';
import { MemoryFileSystem } from './memory-filesystem.ts';
import { type AclPattern, type Operation, outcomeOf, type Pattern, pathsOf } from './operation.ts';

/** fast-check as the caller imports it: this library does not depend on it. */
export type FastCheck = typeof fc;

export interface OperationsOptions {
  /** Names to choose from; by default {@link AWKWARD_NAMES}. */
  readonly names?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  /** Files stay below this, in bytes; default 1 TiB. Nearly all of what is written lies below 100 KB. */
  readonly maximumOffset?: number;
  /** Targets of symbolic links stay below this many bytes; default 1000. */
  readonly maximumTarget?: number;
  /** Values of attributes stay below this many bytes; default 3000. */
  readonly maximumValue?: number;
  /** Times have whole seconds from 1901 to 2038, as inodes of 128 bytes can keep them. */
  readonly oldTimes?: boolean;
  /** Extended attributes and access control lists; default true. */
  readonly attributes?: boolean;
  /** Bursts of many names in one directory and of many pieces of one file; default true. */
  readonly bursts?: boolean;
}

/** Names that collide, that are long, that are bytes and not text, and that mean something elsewhere. */
export const AWKWARD_NAMES: readonly string[] = [
  'a',
  'b',
  'c',
  'A',
  'ünï',
  'u\u0308n\u00ef',
  '\udcff\udc80raw',
  ' ',
  '...',
  '-rf',
  'new\nline',
  'CON',
  'lost+found2',
  'n'.repeat(100),
  'N'.repeat(100),
  'long-'.repeat(51),
  `${'long-'.repeat(50)}tail`,
  '長い名前'.repeat(21),
];

/** What is chosen blindly; the choice among what exists is made when the sequence so far is known. */
interface Choice {
  readonly what: string;
  readonly pick: number;
  readonly other: number;
  readonly name: string;
  readonly newName: string;
  readonly number: number;
  readonly bytes: Pattern;
  readonly mode: number;
  readonly owner: { readonly uid?: number; readonly gid?: number };
  readonly attributes: Attributes;
  readonly acl: AclPattern;
}

/** Which verbs come how often. */
const WEIGHTS: Readonly<Record<string, number>> = {
  create: 8,
  mkdir: 6,
  write: 14,
  append: 5,
  truncate: 6,
  punch: 4,
  rename: 12,
  unlink: 5,
  rmdir: 4,
  link: 5,
  symlink: 4,
  mknod: 3,
  setAttributes: 5,
  setXattr: 8,
  removeXattr: 3,
  acl: 3,
  burst: 2,
  purge: 1,
  comb: 1,
};

/** 2310-04-04: later times, which ext4 can keep until 2446, are taken by e2fsck for times before 1970 of an old kernel's making. */
const LATEST = 0x2_7fff_ffff;

function times(check: FastCheck, old: boolean): fc.Arbitrary<Timestamp> {
  const seconds = old
    ? check.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
    : check.oneof(
        check.integer({ min: -0x8000_0000, max: LATEST }),
        check.constantFrom(-0x8000_0000, -1, 0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_7fff_ffff, LATEST),
      );
  const nanoseconds = old ? check.constant(0) : check.oneof(check.constantFrom(0, 999_999_999), check.nat(999_999_999));
  return check.record({ seconds, nanoseconds });
}

function ids(check: FastCheck): fc.Arbitrary<number> {
  return check.constantFrom(0, 1, 1000, 65534, 65535, 65536, 100_000, 0xffff_fffe);
}

function choices(check: FastCheck, options: OperationsOptions): fc.Arbitrary<Choice> {
  const bursts = options.bursts ?? true;
  const attributes = options.attributes ?? true;
  const maximumOffset = options.maximumOffset ?? 2 ** 40;
  const names = check.constantFrom(...(options.names ?? AWKWARD_NAMES));
  const verbs = Object.entries(WEIGHTS).filter(
    ([what]) =>
      (bursts || !['burst', 'purge', 'comb'].includes(what)) && (attributes || !['setXattr', 'removeXattr', 'acl'].includes(what)),
  );
  const owners = check.record({ uid: ids(check), gid: ids(check) }, { requiredKeys: [] });
  const permissions = check.nat(7);
  return check.record({
    what: check.constantFrom(...verbs.flatMap(([what, weight]) => Array.from({ length: weight }, () => what))),
    pick: check.nat(1000),
    other: check.nat(1000),
    name: names,
    newName: names,
    number: check.oneof(
      { weight: 4, arbitrary: check.nat(20_000) },
      { weight: 3, arbitrary: check.constantFrom(0, 1, 59, 60, 61, 155, 160, 511, 512, 1023, 1024, 4095, 4096, 4097, 12288, 49152, 65536) },
      { weight: 2, arbitrary: check.nat(Math.min(600_000, maximumOffset)) },
      { weight: 1, arbitrary: check.nat(Math.min(2 ** 40, maximumOffset)) },
    ),
    bytes: check.record({
      seed: check.nat(255),
      length: check.oneof(
        check.integer({ min: 1, max: 200 }),
        check.integer({ min: 1, max: 5000 }),
        check.integer({ min: 1, max: 40_000 }),
      ),
    }),
    mode: check.oneof(check.constantFrom(0o644, 0o755, 0o600, 0o2775, 0o4711, 0o1777, 0), check.nat(0o7777)),
    owner: owners,
    attributes: check.record(
      {
        mode: check.nat(0o7777),
        uid: ids(check),
        gid: ids(check),
        atime: times(check, options.oldTimes ?? false),
        mtime: times(check, options.oldTimes ?? false),
      },
      { requiredKeys: [] },
    ),
    acl: check.record({
      owner: permissions,
      group: permissions,
      mask: permissions,
      other: permissions,
      user: check.record({ id: check.constantFrom(0, 1000, 70_000), permissions }),
    }),
  });
}

/** A sequence of operations, most of which succeed on an empty file system that keeps POSIX's rules, and some of which must fail. */
export function operationSequences(check: FastCheck, options: OperationsOptions = {}): fc.Arbitrary<readonly Operation[]> {
  const { minimum = 1, maximum = 40 } = options;
  return check
    .array(choices(check, options), { minLength: minimum, maxLength: maximum, size: 'max' })
    .map((sequence) => makeConcrete(sequence, options));
}

/** Trees: a file system in memory, filled by a random sequence of operations. */
export function trees(check: FastCheck, options: OperationsOptions = {}): fc.Arbitrary<MemoryFileSystem> {
  return operationSequences(check, options).map((operations) => {
    const tree = new MemoryFileSystem();
    for (const operation of operations) runSync(outcomeOf(tree, operation));
    return tree;
  });
}

const XATTR_NAMES = ['user.a', 'user.a-longer-name', 'trusted.t', 'security.selinux', `user.${'x'.repeat(200)}`, 'user.\udcfe'];
/** Every so many choices look past what exists. */
const ASTRAY = 10;

function makeConcrete(sequence: readonly Choice[], options: OperationsOptions): readonly Operation[] {
  const tree = new MemoryFileSystem();
  const operations: Operation[] = [];
  for (const choice of sequence) {
    for (const operation of concrete(choice, tree, options)) {
      operations.push(operation);
      runSync(outcomeOf(tree, operation));
    }
  }
  return operations;
}

function concrete(choice: Choice, tree: MemoryFileSystem, options: OperationsOptions): readonly Operation[] {
  const all = runSync(pathsOf(tree));
  const { pick, other, mode, number, bytes, owner } = choice;
  const of = (kinds: readonly string[]): string[] => all.filter(({ kind }) => kinds.includes(kind)).map(({ path }) => path);
  const directories = of(['directory']);
  const some = (list: readonly string[], chosen: number): string | undefined => list[chosen % Math.max(1, list.length)];
  const below = (chosen: number, name: string): string => {
    const astray = chosen % ASTRAY === 3;
    return `${astray ? all[chosen % all.length]!.path : some(directories, chosen)}/${name}`;
  };
  const path = below(pick, choice.name);
  const existing = (kinds: readonly string[]): string => {
    if (pick % ASTRAY === 7) return all[1 + (other % Math.max(1, all.length - 1))]?.path ?? path;
    return (
      some(
        of(kinds).filter((each) => each !== ''),
        other,
      ) ?? path
    );
  };
  const file = existing(['file']);
  const limit = options.maximumOffset ?? 2 ** 40;
  const anything = existing(['file', 'directory', 'symlink', 'character', 'block', 'fifo', 'socket']);
  const nodeKind = all.find((each) => each.path === anything)?.kind;
  switch (choice.what) {
    case 'create':
    case 'mkdir':
      return [{ verb: choice.what, path, mode, ...owner }];
    case 'symlink': {
      const length = 1 + (number % Math.min(options.maximumTarget ?? 1000, 4095));
      return [{ verb: 'symlink', path, target: 'target/'.repeat(Math.ceil(length / 7)).slice(0, length), ...owner }];
    }
    case 'mknod': {
      const kind = (['character', 'block', 'fifo', 'socket'] as const)[other % 4]!;
      return [{ verb: 'mknod', path, kind, mode, major: number % 4096, minor: bytes.length * 26, ...owner }];
    }
    case 'link':
      return [{ verb: 'link', path: pick % 4 === 0 ? anything : file, newPath: path }];
    case 'rename': {
      const newPath = number % 3 === 0 ? (all[1 + (pick % Math.max(1, all.length - 1))]?.path ?? path) : path;
      return [{ verb: 'rename', path: anything, newPath: pick % 5 === 1 ? `${anything}/${choice.newName}` : newPath }];
    }
    case 'unlink':
      return [{ verb: 'unlink', path: existing(['file', 'symlink', 'character', 'block', 'fifo', 'socket']) }];
    case 'rmdir':
      return [{ verb: 'rmdir', path: existing(['directory']) }];
    case 'write':
      return [{ verb: 'write', path: file, offset: Math.min(number, limit - bytes.length), bytes }];
    case 'append':
      return [{ verb: 'append', path: file, bytes }];
    case 'truncate':
      return [{ verb: 'truncate', path: file, size: Math.min(number, limit) }];
    case 'punch':
      return [{ verb: 'punch', path: file, offset: Math.min(number, limit), length: 1 + pick * 37 }];
    case 'setAttributes':
      return [
        { verb: 'setAttributes', path: anything, attributes: nodeKind === 'symlink' ? withoutMode(choice.attributes) : choice.attributes },
      ];
    case 'setXattr': {
      const user = nodeKind === 'file' || nodeKind === 'directory';
      const names = user ? XATTR_NAMES : XATTR_NAMES.filter((name) => !name.startsWith('user.'));
      const length = bytes.length % (options.maximumValue ?? 3000);
      return [{ verb: 'setXattr', path: anything, name: names[number % names.length]!, value: { ...bytes, length } }];
    }
    case 'removeXattr': {
      const node = all.find((each) => each.path === anything);
      const held = node === undefined ? [] : runSync(tree.xattrs(node.node)).map(({ name }) => new TextDecoder().decode(name));
      const usable = held.filter((name) => !name.includes('\ufffd') && !name.includes('acl'));
      return [{ verb: 'removeXattr', path: anything, name: usable[number % Math.max(1, usable.length)] ?? 'trusted.t' }];
    }
    case 'acl': {
      const target = existing(['file', 'directory']);
      if (!['file', 'directory'].includes(all.find((each) => each.path === target)?.kind ?? 'file')) return [];
      const isDefault = number % 2 === 0 && directories.includes(target);
      return [{ verb: 'setXattr', path: target, name: `system.posix_acl_${isDefault ? 'default' : 'access'}`, value: choice.acl }];
    }
    case 'burst': {
      const directory = some(directories, pick)!;
      const count = 1 + (number % 120);
      const stretch = (i: number): string => `${i}-${'x'.repeat((bytes.seed * 7 + i * 31) % 230)}`;
      return Array.from({ length: count }, (_, i) => ({ verb: 'create', path: `${directory}/${stretch(i)}`, mode }) as const);
    }
    case 'purge': {
      const directory = some(directories, pick)!;
      const inside = all.filter(({ path: each, kind }) => kind !== 'directory' && each.slice(0, each.lastIndexOf('/')) === directory);
      return inside.filter((_, i) => i % 4 !== other % 4).map(({ path: each }) => ({ verb: 'unlink', path: each }) as const);
    }
    case 'comb': {
      const stride = [1024, 2048, 4096, 8192][other % 4]! * 2;
      const count = 2 + (pick % 150);
      return Array.from({ length: count }, (_, i) => {
        const place = (i * 7919) % count;
        return { verb: 'write', path: file, offset: place * stride, bytes: { seed: i, length: 1 + (i % 64) } } as const;
      });
    }
    default:
      return [];
  }
}

function withoutMode({ mode: _, ...rest }: Attributes): Attributes {
  return rest;
}

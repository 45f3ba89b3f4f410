/** Which files belong to which lens: what /augeas/load says. */
import { decodeName, encodeName, latin1 } from '../bytes/text.ts';
import { Posix } from '../errors.ts';
import { globMatcher } from '../guest/glob.ts';
import type { GuestTree } from '../guest/tree.ts';
import type { Io } from '../io/effect.ts';
import { LENSES, type LensEntry } from './lenses/index.ts';
import type { TreeNode } from './tree.ts';

export interface Transform {
  /** What `lens` of the files says. */
  readonly name: string;
  readonly lens: LensEntry['lens'];
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** The most files that are loaded. */
const FILE_COUNT_LIMIT = 20_000;

/** The bytes of a text, one character each, as the tree has them. */
export function toBytes(text: string): string {
  return latin1(encodeName(text));
}

/** The text of bytes. */
export function toText(bytes: string): string {
  return decodeName(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
}

/** The lens that a name such as `@Hosts`, `Hosts.lns` or `Hosts` means. */
export function lensNamed(name: string): LensEntry | undefined {
  return LENSES.get(name.replace(/^@/, '').replace(/\.lns$/, ''));
}

/** The transforms that the tree asks for now. Entries whose lens nobody knows are left out; `unknown` gets them. */
export function transformsOf(load: TreeNode | undefined, unknown?: (entry: TreeNode) => void): Transform[] {
  const transforms: Transform[] = [];
  for (const entry of load?.children ?? []) {
    const name = entry.child('lens')?.value ?? '';
    const known = lensNamed(name);
    if (known === undefined) {
      unknown?.(entry);
      continue;
    }
    const patterns = (label: string): string[] =>
      entry.children.filter((child) => child.label === label && child.value !== undefined).map((child) => child.value ?? '');
    transforms.push({ name, lens: known.lens, include: patterns('incl'), exclude: patterns('excl') });
  }
  return transforms;
}

/** Matches as fnmatch(3) with FNM_PERIOD: a dot at the start has to be written. */
function matcher(pattern: string): (text: string) => boolean {
  const matches = globMatcher(pattern);
  return (text) => (text.startsWith('.') && !pattern.startsWith('.') ? false : matches(text));
}

function excluder(patterns: readonly string[]): (path: string) => boolean {
  const tests = patterns.map((pattern) => {
    const matches = matcher(pattern);
    return pattern.includes('/') ? matches : (path: string) => matches(path.slice(path.lastIndexOf('/') + 1));
  });
  return (path) => tests.some((test) => test(path));
}

/** Whether a file, there or not, belongs to a transform. */
export function belongs(transform: Transform, path: string): boolean {
  return transform.include.some((pattern) => matcher(slashed(pattern))(path)) && !excluder(transform.exclude)(path);
}

/** A pattern from the root on. */
function slashed(pattern: string): string {
  return `/${pattern.replace(/^\/+/, '')}`;
}

const WILD = /[*?[\\]/;

/** Finds the files of transforms below one directory, listing each directory once. */
export class FileFinder {
  readonly #tree: () => GuestTree;
  readonly #root: string;
  readonly #listings = new Map<string, readonly string[]>();
  #count = 0;

  constructor(tree: () => GuestTree, root: string) {
    this.#tree = tree;
    this.#root = root.replace(/\/+$/, '');
  }

  /** The path of a file of the tree in the guest, as text. */
  guestPath(path: string): string {
    return toText(this.#root + path);
  }

  /** The regular files that a transform takes in, in the order of its patterns and of bytes within each. */
  *files(transform: Transform): Io<string[]> {
    const excluded = excluder(transform.exclude);
    const found = new Set<string>();
    for (const pattern of transform.include) {
      for (const path of yield* this.#glob(pattern)) if (!excluded(path)) found.add(path);
    }
    const files: string[] = [];
    for (const path of found) {
      if (this.#count >= FILE_COUNT_LIMIT) break;
      if (yield* this.#isFile(path)) {
        this.#count++;
        files.push(path);
      }
    }
    return files;
  }

  *#isFile(path: string): Io<boolean> {
    try {
      return (yield* this.#tree().stat(this.guestPath(path))).kind === 'file';
    } catch (error) {
      if (error instanceof Posix) return false;
      throw error;
    }
  }

  *#glob(pattern: string): Io<string[]> {
    let paths = [''];
    for (const part of pattern.split('/')) {
      if (part === '') continue;
      const next: string[] = [];
      const matches = WILD.test(part) ? matcher(part) : undefined;
      for (const path of paths) {
        const names = yield* this.#names(path);
        if (matches === undefined) {
          if (part === '.' || part === '..' || names.includes(part)) next.push(`${path}/${part}`);
        } else for (const name of names) if (matches(name)) next.push(`${path}/${name}`);
        if (next.length > FILE_COUNT_LIMIT) break;
      }
      paths = next;
    }
    return paths;
  }

  /** The names of a directory in the order of bytes; none where there is no directory. */
  *#names(path: string): Io<readonly string[]> {
    let names = this.#listings.get(path);
    if (names === undefined) {
      try {
        names = (yield* this.#tree().names(`${this.guestPath(path)}/`)).map(toBytes);
      } catch (error) {
        if (!(error instanceof Posix)) throw error;
        names = [];
      }
      this.#listings.set(path, names);
    }
    return names;
  }
}

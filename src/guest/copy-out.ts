/**
 * Copying files out of a guest: what is to be made on the host, step by step. The steps name nothing outside of the target folder; making
 * them without following a link of the host is the door's part (open with O_NOFOLLOW and O_EXCL, one name at a time).
 */
import { type Bytes, decodeName } from '../bytes/index.ts';
import { Refused } from '../errors.ts';
import type { Stat } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import type { FileSource } from './file-data.ts';
import type { Mount } from './mounts.ts';
import { NodeMap } from './node-map.ts';
import { isPlainName, type Path, SLASH } from './path.ts';
import type { GuestTree } from './tree.ts';
import { type WalkEntry, type Walker, type WalkOptions, walk } from './walk.ts';

export interface CopyOutOptions extends Omit<WalkOptions, 'order'> {
  /** Make device nodes and FIFOs too. Default false: they are skipped. */
  readonly devices?: boolean;
  /** Keep set-user-ID and set-group-ID bits of files. Default false. */
  readonly setId?: boolean;
}

interface Step {
  /** Names relative to the target folder, joined by slashes, none of them `.` or `..`; empty for the target folder itself. */
  readonly path: Bytes;
  readonly entry: WalkEntry;
  /** Permission bits to give it. */
  readonly permissions: number;
}

/** What to make next. */
export type CopyStep =
  | (Step & { readonly make: 'directory' })
  /** The directory is complete: now its permissions and times can be set. */
  | (Step & { readonly make: 'directory-end' })
  | (Step & { readonly make: 'file'; readonly file: FileSource })
  /** Another name of a file that was made before. */
  | (Step & { readonly make: 'link'; readonly to: Bytes })
  | (Step & { readonly make: 'symlink'; readonly target: Bytes })
  | (Step & { readonly make: 'device' })
  | (Step & { readonly make: 'nothing'; readonly reason: string });

/** Plans the copy of a file or directory under its own name; of `/`, the copy of what is in it. */
export function* planCopyOut(tree: GuestTree, start: Path, options: CopyOutOptions = {}): Io<CopyPlan> {
  return new CopyPlan(yield* walk(tree, start, options), options);
}

/** The steps, in order: a directory before what is in it, and again after. */
export class CopyPlan {
  readonly #walker: Walker;
  readonly #options: CopyOutOptions;
  readonly #open: (Step & { readonly make: 'directory' })[] = [];
  /** The first path of each node that has several. */
  readonly #linked = new NodeMap<Mount, Bytes>();
  #waiting: WalkEntry | undefined;
  #base = 0;

  constructor(walker: Walker, options: CopyOutOptions) {
    this.#walker = walker;
    this.#options = options;
  }

  /** The next step; undefined at the end. */
  *next(): Io<CopyStep | undefined> {
    const entry = this.#waiting ?? (yield* this.#walker.next());
    const innermost = this.#open.at(-1);
    if (innermost !== undefined && (entry === undefined || entry.depth <= innermost.entry.depth)) {
      this.#waiting = entry;
      this.#open.pop();
      return { ...innermost, make: 'directory-end' };
    }
    this.#waiting = undefined;
    return entry === undefined ? undefined : yield* this.#step(entry);
  }

  *#step(entry: WalkEntry): Io<CopyStep> {
    if (entry.depth === 0) this.#base = entry.path.length - entry.name.length;
    const path = entry.path.subarray(this.#base);
    const { stat, kind, mount, node } = entry;
    const step = { path: hostPath(path), entry, permissions: this.#permissions(stat) };
    if (kind === 'directory') {
      const made = { ...step, make: 'directory' } as const;
      this.#open.push(made);
      return made;
    }
    if (stat.links > 1) {
      const first = this.#linked.get(mount, node);
      if (first !== undefined) return { ...step, make: 'link', to: first };
      this.#linked.set(mount, node, step.path);
    }
    if (kind === 'file') return { ...step, make: 'file', file: { fileSystem: mount.fileSystem, node, size: stat.size } };
    if (kind === 'symlink') return { ...step, make: 'symlink', target: yield* mount.fileSystem.readlink(node) };
    if (kind === 'socket') return { ...step, make: 'nothing', reason: 'a socket cannot be copied' };
    if (this.#options.devices === true) return { ...step, make: 'device' };
    return { ...step, make: 'nothing', reason: `a ${kind === 'fifo' ? 'FIFO' : `${kind} device`} is made only when asked for` };
  }

  #permissions(stat: Stat): number {
    const bits = stat.mode & 0o7777;
    return this.#options.setId === true || stat.kind === 'directory' ? bits : bits & ~0o6000;
  }
}

/**
 * A path relative to a folder of the host, checked once more: no name of it is empty, `.` or `..`, and it does not begin at the root.
 * Throws Refused.
 */
export function hostPath(path: Bytes): Bytes {
  for (let start = 0; path.length > 0 && start <= path.length; ) {
    const slash = path.indexOf(SLASH, start);
    const end = slash < 0 ? path.length : slash;
    if (!isPlainName(path.subarray(start, end))) {
      throw new Refused(`the path ${JSON.stringify(decodeName(path))} could leave the target folder`);
    }
    start = end + 1;
  }
  return path;
}

const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

/**
 * A name that Windows can have, for hosts like that: what it forbids (`<>:"|?*\`, control characters, dots and blanks at the end, names of
 * devices) becomes %XX. Different names stay different, up to upper and lower case.
 */
export function windowsName(name: Bytes): string {
  // A byte that is no UTF-8 is U+DC80..U+DCFF: its number stands in the low eight bits.
  const escaped = (character: string): string => `%${(character.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, '0')}`;
  const text = decodeName(name)
    .replace(/[\u0000-\u001f<>:"|?*\\%\uDC80-\uDCFF]/g, escaped)
    .replace(/[. ]$/, escaped);
  return RESERVED.test(text) ? `${escaped(text.charAt(0))}${text.slice(1)}` : text;
}

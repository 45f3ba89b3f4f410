/** Files of the guest in the tree: found at once, read when somebody looks, written back when they changed. */

import { latin1 } from '../bytes/text.ts';
import { Corrupt, GuestlessError, Posix, Refused } from '../errors.ts';
import type { EditableTree } from '../guest/edit.ts';
import type { Io } from '../io/effect.ts';
import { get, type Original, ParseFailure } from './get.ts';
import { type FileError, noteError, type SaveMode } from './metadata.ts';
import { escapeName } from './parse-expression.ts';
import { PutFailure, put } from './put.ts';
import { comparable, type Prefix } from './reach.ts';
import { belongs, FileFinder, lensNamed, type Transform } from './transforms.ts';
import { TreeNode } from './tree.ts';

/** The largest file that is read, in bytes. */
export const FILE_SIZE_LIMIT: number = 4 << 20;

/** A file that was found and not read yet. */
interface Pending {
  readonly path: string;
  readonly labels: Prefix;
  readonly node: TreeNode;
  readonly metadata: TreeNode;
  readonly transform: Transform;
}

function labelsOf(path: string): string[] {
  return path.split('/').filter((label) => label !== '');
}

export class ConfigurationFiles {
  readonly #tree: () => EditableTree;
  readonly #finder: FileFinder;
  readonly #origin: TreeNode;
  #pending: Pending[] = [];

  constructor(tree: () => EditableTree, root: string, origin: TreeNode) {
    this.#tree = tree;
    this.#finder = new FileFinder(tree, root);
    this.#origin = origin;
  }

  get #metadata(): TreeNode {
    return this.#origin.ensurePath(['augeas', 'files']);
  }

  /** Forgets what was read, and finds the files of these transforms. */
  *find(transforms: readonly Transform[]): Io<void> {
    const finder = new FileFinder(this.#tree, this.#finder.guestPath(''));
    this.#pending = [];
    this.#origin.ensure('files').adopt([]);
    this.#metadata.adopt([]);
    this.#origin.ensure('files').dirty = false;
    const owners = new Map<string, Transform>();
    for (const transform of transforms) {
      for (const path of yield* finder.files(transform)) {
        const owner = owners.get(path);
        if (owner !== undefined) {
          if (owner.lens !== transform.lens) this.#contested(path, owner, transform);
          continue;
        }
        owners.set(path, transform);
        const labels = labelsOf(path);
        const node = this.#origin.ensure('files').ensurePath(labels);
        const metadata = this.#metadata.ensurePath(labels);
        describe(metadata, path, transform);
        this.#pending.push({ path, labels, node, metadata, transform });
      }
    }
  }

  /** A file that two lenses want is read by neither. */
  #contested(path: string, one: Transform, other: Transform): void {
    const pending = this.#pending.find((entry) => entry.path === path);
    if (pending === undefined) return;
    this.#pending.splice(this.#pending.indexOf(pending), 1);
    prune(pending.node);
    noteError(pending.metadata, { kind: 'mxfm_load', message: `both ${one.name} and ${other.name} are lenses for ${path}` });
  }

  /** Reads the files that something within these paths of the tree comes from. */
  *read(prefixes: readonly Prefix[]): Io<void> {
    if (this.#pending.length === 0) return;
    const wanted = (entry: Pending): boolean =>
      prefixes.some((prefix) => comparable(prefix, ['files', ...entry.labels]) || comparable(prefix, ['augeas', 'files', ...entry.labels]));
    const due = this.#pending.filter(wanted);
    if (due.length === 0) return;
    this.#pending = this.#pending.filter((entry) => !wanted(entry));
    for (const entry of due) yield* this.#readOne(entry);
  }

  *#readOne({ path, node, metadata, transform }: Pending): Io<void> {
    let text = '';
    try {
      text = yield* this.#text(path);
      metadata.ensure('mtime').value = yield* this.#mtime(path);
      // A file without content fits every lens.
      node.adopt(text === '' ? [] : get(transform.lens, text).children);
      node.file = path;
    } catch (error) {
      if (!(error instanceof GuestlessError)) throw error;
      prune(node);
      noteError(metadata, failure(error, text));
    }
  }

  /** A file as text that ends with a newline. */
  *#text(path: string): Io<string> {
    const text = latin1(yield* this.#tree().readFile(this.#finder.guestPath(path), { limit: FILE_SIZE_LIMIT }));
    return text === '' || text.endsWith('\n') ? text : `${text}\n`;
  }

  *#mtime(path: string): Io<string> {
    return String((yield* this.#tree().stat(this.#finder.guestPath(path))).mtime.seconds);
  }

  /**
   * Writes back the files that changed, and removes those whose nodes are gone. Answers whether all went well; what did not is noted
   * under /augeas/files.
   */
  *save(transforms: readonly Transform[], mode: SaveMode): Io<boolean> {
    const events = this.#origin.ensure('augeas').child('events');
    events?.detach();
    const changed: { node: TreeNode; path: string; owners: Transform[] }[] = [];
    const look = (node: TreeNode, path: string): void => {
      for (const child of node.children) {
        if (!child.dirty || child.label === undefined) continue;
        const childPath = `${path}/${child.label}`;
        const owners = transforms.filter((transform) => belongs(transform, childPath));
        if (owners.length > 0 || child.file !== undefined) changed.push({ node: child, path: childPath, owners });
        else look(child, childPath);
      }
    };
    look(this.#origin.ensure('files'), '');
    let well = true;
    for (const { node, path, owners } of changed) {
      const metadata = this.#metadata.ensurePath(labelsOf(path));
      try {
        yield* this.#write(node, path, owners, metadata, mode);
        noteError(metadata, undefined);
        if (mode !== 'noop') clean(node);
      } catch (error) {
        if (!(error instanceof GuestlessError)) throw error;
        well = false;
        noteError(metadata, failure(error, '', path));
      }
    }
    if (!(yield* this.#unlinkRemoved(mode))) well = false;
    if (well && mode !== 'noop') this.#origin.ensure('files').dirty = false;
    return well;
  }

  *#write(node: TreeNode, path: string, owners: readonly Transform[], metadata: TreeNode, mode: SaveMode): Io<void> {
    const lens = lensNamed(metadata.child('lens')?.value ?? '')?.lens ?? owners[0]?.lens;
    if (lens === undefined || new Set(owners.map((owner) => owner.lens)).size > 1) {
      throw new Refused(`${owners.length} lenses are for ${path}; there has to be one`);
    }
    const guestPath = this.#finder.guestPath(path);
    const there = yield* this.#tree().exists(guestPath);
    const before = there ? yield* this.#text(path) : '';
    let original: Original | undefined;
    if (before !== '') original = get(lens, before).original;
    // Nothing at all is written as nothing, whether or not the lens has a form for it.
    const after = node.children.length === 0 ? '' : put(lens, node, original);
    if (metadata.child('path') === undefined && owners[0] !== undefined) describe(metadata, path, owners[0]);
    node.file = path;
    if (there && after === before) return;
    this.#saved(path);
    if (mode === 'noop') return;
    const bytes = Uint8Array.from(after, (c) => c.charCodeAt(0));
    if (mode === 'newfile') return yield* this.#writeBeside(guestPath, there, '.augnew', bytes);
    if (mode === 'backup' && there) yield* this.#writeBeside(guestPath, true, '.augsave', yield* this.#tree().readFile(guestPath));
    yield* this.#tree().writeFile(guestPath, bytes);
    metadata.ensure('mtime').value = yield* this.#mtime(path);
  }

  #saved(path: string): void {
    const events = this.#origin.ensure('augeas').ensure('events');
    events.append(new TreeNode('saved', treePath(path)));
  }

  /** Writes a file next to another, with the mode and the owner of that one. */
  *#writeBeside(path: string, there: boolean, suffix: string, bytes: Uint8Array): Io<void> {
    const tree = this.#tree();
    if (!there) return yield* tree.writeFile(path + suffix, bytes);
    const { mode, uid, gid } = yield* tree.stat(path);
    yield* tree.transaction(function* () {
      yield* tree.rm(path + suffix, { force: true });
      yield* tree.writeFile(path + suffix, bytes, { mode: mode & 0o7777, uid, gid });
    });
  }

  /** Removes the files whose nodes were removed. */
  *#unlinkRemoved(mode: SaveMode): Io<boolean> {
    const gone: { path: string; metadata: TreeNode }[] = [];
    const look = (metadata: TreeNode, labels: readonly string[]): void => {
      const path = metadata.child('path')?.value;
      if (path?.startsWith('/files/') === true) {
        const failed = metadata.child('error') !== undefined;
        const pending = this.#pending.some((entry) => entry.metadata === metadata);
        if (!failed && !pending && this.#origin.find(['files', ...labels]) === undefined)
          gone.push({ path: `/${labels.join('/')}`, metadata });
        return;
      }
      for (const child of metadata.children) if (child.label !== undefined) look(child, [...labels, child.label]);
    };
    look(this.#metadata, []);
    let well = true;
    for (const { path, metadata } of gone) {
      this.#saved(path);
      if (mode === 'noop') continue;
      try {
        const guestPath = this.#finder.guestPath(path);
        if (mode === 'backup') yield* this.#writeBeside(guestPath, true, '.augsave', yield* this.#tree().readFile(guestPath));
        yield* this.#tree().unlink(guestPath);
        prune(metadata, this.#metadata);
      } catch (error) {
        if (!(error instanceof GuestlessError)) throw error;
        well = false;
        noteError(metadata, { kind: 'unlink_orig', message: error.message });
      }
    }
    return well;
  }
}

/** The path of a file in the tree. */
function treePath(path: string): string {
  return `/files${path.split('/').map(escapeName).join('/')}`;
}

/** Notes whose file it is. */
function describe(metadata: TreeNode, path: string, transform: Transform): void {
  metadata.ensure('path').value = `/files${path}`;
  metadata.ensure('mtime').value = '0';
  const lens = metadata.ensure('lens');
  lens.value = transform.name;
  lens.ensure('info').value = `${transform.name.replace(/^@/, '').replace(/\.lns$/, '')}.lns`;
}

/** Takes a node out, and those above it that have nothing else below them. */
function prune(node: TreeNode, top?: TreeNode): void {
  let at: TreeNode | undefined = node;
  while (at !== undefined && at !== top) {
    const parent: TreeNode | undefined = at.parent;
    at.detach();
    if (parent === undefined || parent.children.length > 0 || parent.value !== undefined || parent.parent?.label === undefined) return;
    at = parent;
  }
}

/** Notes that a file and its nodes are one again. */
function clean(node: TreeNode): void {
  const left = [node];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (!at.dirty) continue;
    at.dirty = false;
    at.modified = false;
    left.push(...at.children);
  }
}

function failure(error: GuestlessError, text: string, path?: string): FileError {
  if (error instanceof ParseFailure) return { kind: 'parse_failed', message: error.message, place: { text, position: error.position } };
  if (error instanceof PutFailure)
    return { kind: 'put_failed', message: error.message, path: `/files${path ?? ''}${below(error.node, path ?? '')}` };
  if (error instanceof Refused) return { kind: 'mxfm_save', message: error.message };
  const kind = error instanceof Posix || error instanceof Corrupt ? (path === undefined ? 'read_failed' : 'open_augnew') : 'read_failed';
  return { kind, message: error.message };
}

/** The way from a file to one of its nodes. */
function below(node: TreeNode, path: string): string {
  const labels: string[] = [];
  for (let at: TreeNode | undefined = node; at !== undefined && at.file !== path; at = at.parent) labels.unshift(at.label ?? '');
  return labels.map((label) => `/${escapeName(label)}`).join('');
}

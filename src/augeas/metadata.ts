/** What the tree says of itself: everything below /augeas. */
import type { LensEntry } from './lenses/index.ts';
import { TreeNode } from './tree.ts';

/** The version of Augeas whose paths, labels and behaviour this room follows. */
export const AUGEAS_VERSION = '1.14.0';

const SAVE_MODES = ['backup', 'newfile', 'noop', 'overwrite'] as const;
export type SaveMode = (typeof SAVE_MODES)[number];

export function isSaveMode(text: string | undefined): text is SaveMode {
  return SAVE_MODES.some((mode) => mode === text);
}

/** The tree before anything is loaded. */
export function initialTree(root: string, mode: SaveMode, lenses: ReadonlyMap<string, LensEntry>): TreeNode {
  const origin = new TreeNode(undefined);
  const augeas = origin.ensure('augeas');
  augeas.ensure('root').value = root.endsWith('/') ? root : `${root}/`;
  augeas.ensure('context').value = '/files';
  augeas.ensure('variables');
  const version = augeas.ensure('version');
  version.value = AUGEAS_VERSION;
  const save = version.ensure('save');
  for (const name of SAVE_MODES) save.append(new TreeNode('mode', name));
  version.ensurePath(['defvar', 'expr']);
  const functions = version.ensurePath(['pathx', 'functions']);
  for (const name of ['count', 'glob', 'label', 'last', 'modified', 'position', 'regexp']) functions.ensure(name);
  augeas.ensure('save').value = mode;
  augeas.ensure('span').value = 'disable';
  const load = augeas.ensure('load');
  for (const [name, { include, exclude }] of lenses) {
    const transform = load.append(new TreeNode(name));
    transform.append(new TreeNode('lens', `@${name}`));
    for (const pattern of include) transform.append(new TreeNode('incl', pattern));
    for (const pattern of exclude) transform.append(new TreeNode('excl', pattern));
  }
  origin.ensure('files');
  return origin;
}

/** A place in a text, for people. */
export interface TextPlace {
  readonly text: string;
  readonly position: number;
}

/** What went wrong with a file. */
export interface FileError {
  /** In Augeas's terms: parse_failed, put_failed, read_failed, mxfm_load, … */
  readonly kind: string;
  readonly message: string;
  readonly place?: TextPlace;
  /** The node of the tree that does not fit. */
  readonly path?: string;
}

/** Notes under /augeas/files what went wrong with a file, in place of what was noted before. */
export function noteError(metadata: TreeNode, error: FileError | undefined): void {
  metadata.child('error')?.detach();
  if (error === undefined) return;
  const node = metadata.append(new TreeNode('error', error.kind));
  if (error.place !== undefined) {
    const { text, position } = error.place;
    const before = text.slice(0, position);
    const lineStart = before.lastIndexOf('\n') + 1;
    node.append(new TreeNode('pos', String(position)));
    node.append(new TreeNode('line', String(before.split('\n').length)));
    node.append(new TreeNode('char', String(position - lineStart)));
  }
  if (error.path !== undefined) node.append(new TreeNode('path', error.path));
  const lens = metadata.child('lens')?.value;
  if (lens !== undefined) node.append(new TreeNode('lens', lens));
  node.append(new TreeNode('message', error.message));
}

/** Notes the last error of a path expression. */
export function noteExpressionError(origin: TreeNode, problem: string, position: string): void {
  const augeas = origin.ensure('augeas');
  augeas.child('error')?.detach();
  const error = new TreeNode('error');
  augeas.insert(0, error);
  error.append(new TreeNode('pathx', problem)).append(new TreeNode('pos', position));
}

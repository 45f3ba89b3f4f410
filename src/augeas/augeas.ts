/** One session with the configuration files of a guest: the functions of Augeas's API over a tree of files. */
import { Posix } from '../errors.ts';
import type { EditableTree } from '../guest/edit.ts';
import type { Io } from '../io/effect.ts';
import { evaluate, trace, type Value, variableType } from './evaluate.ts';
import { type Expression, InvalidExpression, type Step, TYPE_ERROR, typeOf } from './expression.ts';
import { ConfigurationFiles } from './files.ts';
import { LENSES } from './lenses/index.ts';
import { initialTree, isSaveMode, noteError, noteExpressionError } from './metadata.ts';
import { parseExpression } from './parse-expression.ts';
import { Places } from './places.ts';
import { reach } from './reach.ts';
import { lensNamed, toBytes, toText, transformsOf } from './transforms.ts';
import { countNodes, TreeNode } from './tree.ts';

/** The flags of aug_init(3) that mean something here; the others are taken and change nothing. */
export const AUG_SAVE_BACKUP = 1;
export const AUG_SAVE_NEWFILE = 2;
export const AUG_SAVE_NOOP = 16;
export const AUG_NO_LOAD = 32;
export const AUG_NO_MODL_AUTOLOAD = 64;

/** How many nodes a tree may have before nothing more is added to it by hand. */
const NODE_LIMIT = 2_000_000;

type PathExpression = Expression & { readonly kind: 'path' };

/**
 * A tree of configuration files, as Augeas has it. Texts are those of names: bytes that are no UTF-8 are lone surrogates. Every method
 * throws Posix EINVAL for a path expression that is malformed or that matches another number of nodes than is wanted.
 */
export class Augeas {
  readonly #origin: TreeNode;
  readonly #files: ConfigurationFiles;
  readonly #variables = new Map<string, Value>();
  #nodes = 0;

  private constructor(tree: () => EditableTree, root: string, flags: number) {
    const mode =
      (flags & AUG_SAVE_NEWFILE) !== 0
        ? 'newfile'
        : (flags & AUG_SAVE_BACKUP) !== 0
          ? 'backup'
          : (flags & AUG_SAVE_NOOP) !== 0
            ? 'noop'
            : 'overwrite';
    this.#origin = initialTree(toBytes(root), mode, (flags & AUG_NO_MODL_AUTOLOAD) !== 0 ? new Map() : LENSES);
    this.#files = new ConfigurationFiles(tree, toBytes(root), this.#origin);
  }

  /** aug_init: `tree` gives the files of the guest as they are now. Files are found at once, unless the flags say not to, and read when something first looks at them. */
  static *open(tree: () => EditableTree, root: string, flags: number): Io<Augeas> {
    const session = new Augeas(tree, root, flags);
    if ((flags & AUG_NO_LOAD) === 0) yield* session.load();
    return session;
  }

  /** aug_load: forgets all changes and finds the files anew. */
  *load(): Io<void> {
    const unknown = (entry: TreeNode): void =>
      noteError(entry, { kind: 'no_lens', message: `there is no lens ${entry.child('lens')?.value ?? ''}` });
    yield* this.#files.find(transformsOf(this.#load(), unknown));
    this.#nodes = 0;
    const variables = this.#origin.find(['augeas', 'variables'])?.children ?? [];
    for (const { label, value } of [...variables]) {
      if (label !== undefined && value !== undefined) yield* this.#define(label, value);
    }
  }

  #load(): TreeNode | undefined {
    return this.#origin.find(['augeas', 'load']);
  }

  /** aug_save: writes what changed. Throws EIO when something could not be written; /augeas//error tells what. */
  *save(): Io<void> {
    const wanted = this.#origin.find(['augeas', 'save'])?.value;
    if (!isSaveMode(wanted))
      throw new Posix('EINVAL', {}, `/augeas/save has to be overwrite, backup, newfile or noop, and is ${wanted ?? 'nothing'}`);
    const well = yield* this.#files.save(transformsOf(this.#load()), wanted);
    if (!well) throw new Posix('EIO', {}, 'some files could not be written; what is below /augeas//error tells why');
  }

  /** The value of the one node that matches; undefined where none does, null where it has no value. */
  *get(path: string): Io<string | null | undefined> {
    const node = yield* this.#one(path);
    return node === undefined ? undefined : node.value === undefined ? null : toText(node.value);
  }

  /** The label of the one node that matches. */
  *label(path: string): Io<string | undefined> {
    const node = yield* this.#one(path);
    return node?.label === undefined ? undefined : toText(node.label);
  }

  /** Sets the value of the one node that matches, which is made where none does. */
  *set(path: string, value: string | undefined): Io<void> {
    this.#change(yield* this.#expand(path), value);
  }

  /** Sets the values of nodes below each of several; answers how many. */
  *setMany(base: string, sub: string | undefined, value: string | undefined): Io<number> {
    const bases = yield* this.#nodesOf(base);
    if (sub === undefined) {
      for (const node of bases) this.#change(node, value);
      return bases.length;
    }
    const expression = this.#parse(sub);
    let count = 0;
    for (const node of bases) {
      const below = this.#evaluateNodes(expression, sub, [node]);
      const targets = below.length > 0 ? below : [this.#create(expression, sub, [node])];
      for (const target of targets) this.#change(target, value);
      count += targets.length;
    }
    return count;
  }

  /** Makes a sibling before or behind the one node that matches. */
  *insert(path: string, label: string, before: boolean): Io<void> {
    const node = yield* this.#one(path);
    if (node === undefined) throw noMatch();
    if (label.includes('/') || label === '') throw new Posix('EINVAL', {}, 'the label of a node is not empty and has no slash');
    const parent = node.parent;
    // Beside the root nothing can be seen.
    if (parent === undefined) return;
    this.#count();
    const sibling = new TreeNode(toBytes(label));
    parent.insert(parent.children.indexOf(node) + (before ? 0 : 1), sibling);
    sibling.touch();
  }

  /** Removes all nodes that match, with those below; answers how many these were. */
  *remove(path: string): Io<number> {
    const nodes = yield* this.#nodesOf(path);
    const doomed = new Set(nodes);
    let count = 0;
    for (const node of nodes) {
      if (node.parent === undefined || hasAncestor(node, doomed)) continue;
      count += countNodes(node);
      node.parent.touch();
      node.detach();
    }
    this.#origin.ensure('files');
    this.#forgetDetached();
    return count;
  }

  /** Moves a node, with those below, onto another one, which is made where none matches. */
  *move(from: string, to: string): Io<void> {
    const source = yield* this.#one(from);
    if (source === undefined) throw noMatch();
    const target = yield* this.#expand(to);
    if (target.isWithin(source)) throw new Posix('EINVAL', {}, 'Cannot move node into its descendant');
    const { children, value } = source;
    const moved = [...children];
    children.length = 0;
    target.adopt(moved);
    target.value = value;
    target.touch();
    for (const child of moved) child.touch();
    source.parent?.touch();
    source.detach();
    this.#forgetDetached();
  }

  /** The paths of all nodes that match. */
  *match(path: string): Io<string[]> {
    const nodes = yield* this.#nodesOf(path);
    const places = new Places();
    return nodes.filter((node) => node.label !== undefined).map((node) => toText(places.pathOf(node)));
  }

  /** Gives an expression a name; answers how many nodes it has, 0 when it is no set of nodes. Without an expression the name is forgotten. */
  *defineVariable(name: string, expression: string | undefined): Io<number> {
    const bytes = toBytes(name);
    const variables = this.#origin.ensurePath(['augeas', 'variables']);
    if (expression === undefined) {
      this.#variables.delete(bytes);
      variables.child(bytes)?.detach();
      return 0;
    }
    return yield* this.#define(bytes, toBytes(expression));
  }

  *#define(name: string, expression: string): Io<number> {
    const value = yield* this.#value(expression);
    this.#variables.set(name, value);
    this.#origin.ensurePath(['augeas', 'variables', name]).value = expression;
    return value.type === 'nodes' ? value.nodes.length : 0;
  }

  /** Gives the nodes of an expression a name; where none matches one is made, with this value. */
  *defineNode(name: string, path: string, value: string | undefined): Io<{ readonly count: number; readonly created: boolean }> {
    const found = yield* this.#nodesOf(path);
    const nodes = found.length > 0 ? found : [yield* this.#expand(path)];
    const [first] = nodes;
    if (found.length === 0 && first !== undefined) this.#change(first, value);
    const bytes = toBytes(name);
    this.#variables.set(bytes, { type: 'nodes', nodes });
    this.#origin.ensurePath(['augeas', 'variables', bytes]).value = toBytes(path);
    return { count: nodes.length, created: found.length === 0 };
  }

  /** Adds a file (or, with `exclude`, an exception) to what a lens is for; it takes part in the next load. */
  transform(lens: string, file: string, exclude: boolean): void {
    if (lens === '' || file === '') throw new Posix('EINVAL', {}, 'a lens and a file are wanted');
    const name = toBytes(lens)
      .replace(/\.lns$/, '')
      .replace(/^@/, '');
    const load = this.#origin.ensurePath(['augeas', 'load']);
    const entry = load.ensure(name);
    if (entry.child('lens') === undefined) entry.append(new TreeNode('lens', lensNamed(name) === undefined ? toBytes(lens) : `@${name}`));
    entry.append(new TreeNode(exclude ? 'excl' : 'incl', toBytes(file)));
  }

  #change(node: TreeNode, value: string | undefined): void {
    const bytes = value === undefined ? undefined : toBytes(value);
    if (node.value === bytes) return;
    node.value = bytes;
    node.touch();
  }

  #count(): void {
    if (++this.#nodes > NODE_LIMIT) throw new Posix('ENOSPC', {}, `the tree has more than ${NODE_LIMIT} new nodes`);
  }

  #parse(path: string): Expression {
    const text = toBytes(path);
    try {
      const expression = parseExpression(text);
      const type = typeOf(expression, (name) => variableType(this.#variables, name));
      if (typeof type === 'object') throw new InvalidExpression(type.problem, text, text.length);
      return expression;
    } catch (error) {
      if (error instanceof InvalidExpression) noteExpressionError(this.#origin, error.problem, error.position);
      throw error;
    }
  }

  *#prepare(path: string): Io<Expression> {
    const expression = this.#parse(path);
    yield* this.#files.read(reach(expression, this.#contextLabels()));
    return expression;
  }

  #contextLabels(): string[] | undefined {
    const path = this.#origin.find(['augeas', 'context'])?.value ?? '/files';
    return /^(\/[^\][|/=()!,\\ ]+)+\/?$/.test(path) ? path.split('/').filter((label) => label !== '') : undefined;
  }

  #context(): TreeNode[] {
    const labels = this.#contextLabels();
    if (labels !== undefined) {
      const node = this.#origin.find(labels);
      return node === undefined ? [] : [node];
    }
    const value = evaluate(parseExpression(this.#origin.find(['augeas', 'context'])?.value ?? '/files'), this.#scope([this.#origin]));
    return value.type === 'nodes' ? [...value.nodes] : [];
  }

  #scope(context: readonly TreeNode[]): { root: TreeNode; context: readonly TreeNode[]; variables: ReadonlyMap<string, Value> } {
    return { root: this.#origin, context, variables: this.#variables };
  }

  *#value(bytes: string): Io<Value> {
    return evaluate(yield* this.#prepare(toText(bytes)), this.#scope(this.#context()));
  }

  #evaluateNodes(expression: Expression, path: string, context: readonly TreeNode[]): readonly TreeNode[] {
    const value = evaluate(expression, this.#scope(context));
    if (value.type !== 'nodes') throw new InvalidExpression(TYPE_ERROR, path, path.length);
    return value.nodes;
  }

  *#nodesOf(path: string): Io<readonly TreeNode[]> {
    return this.#evaluateNodes(yield* this.#prepare(path), path, this.#context());
  }

  *#one(path: string): Io<TreeNode | undefined> {
    const nodes = yield* this.#nodesOf(path);
    if (nodes.length > 1)
      throw new Posix('EINVAL', {}, `Too many matches for path expression: There are ${nodes.length} nodes matching ${path}`);
    return nodes[0];
  }

  /** The one node that matches, made where none does. */
  *#expand(path: string): Io<TreeNode> {
    return this.#create(yield* this.#prepare(path), path, this.#context());
  }

  #create(expression: Expression, path: string, context: readonly TreeNode[]): TreeNode {
    if (expression.kind !== 'path') {
      const nodes = this.#evaluateNodes(expression, path, context);
      if (nodes.length > 1) throw tooMany();
      if (nodes[0] === undefined) throw noMatch();
      return nodes[0];
    }
    const sets = trace(expression, this.#scope(context));
    let last = sets.length - 1;
    while (last >= 0 && sets[last]?.length === 0) last--;
    const nodes = sets[last] ?? [];
    if (nodes.length > 1) throw tooMany();
    if (nodes[0] === undefined) throw noMatch();
    return this.#append(nodes[0], expression, last);
  }

  /** Makes the nodes for the steps of a path from `step` on. */
  #append(start: TreeNode, path: PathExpression, step: number): TreeNode {
    const missing: readonly Step[] = path.steps.slice(step);
    if (missing.some(({ axis, name }) => axis !== 'child' || name === undefined)) throw noMatch();
    let node = start;
    for (const { name } of missing) {
      this.#count();
      node = node.append(new TreeNode(name));
      node.touch();
    }
    return node;
  }

  /** Variables lose the nodes that are gone. */
  #forgetDetached(): void {
    for (const [name, value] of this.#variables) {
      if (value.type !== 'nodes') continue;
      const nodes = value.nodes.filter((node) => node.isWithin(this.#origin));
      if (nodes.length < value.nodes.length) this.#variables.set(name, { type: 'nodes', nodes });
    }
  }
}

function hasAncestor(node: TreeNode, among: ReadonlySet<TreeNode>): boolean {
  for (let at = node.parent; at !== undefined; at = at.parent) if (among.has(at)) return true;
  return false;
}

function tooMany(): Posix {
  return new Posix('EINVAL', {}, 'Too many matches for path expression');
}

function noMatch(): Posix {
  return new Posix('EINVAL', {}, 'No match for path expression');
}

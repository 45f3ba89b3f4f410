/** Following path expressions through a tree. */
import { globMatcher } from '../guest/glob.ts';
import type { Axis, Expression, Step, ValueType } from './expression.ts';
import { Matcher } from './program.ts';
import type { TreeNode } from './tree.ts';

/** What an expression is worth. */
export type Value =
  | { readonly type: 'nodes'; readonly nodes: readonly TreeNode[] }
  | { readonly type: 'boolean'; readonly boolean: boolean }
  | { readonly type: 'number'; readonly number: number }
  | { readonly type: 'string'; readonly string: string }
  | { readonly type: 'pattern'; readonly matches: (text: string) => boolean; readonly source: string };

/** Where an expression is evaluated. */
export interface Scope {
  /** The node above /files and /augeas. */
  readonly root: TreeNode;
  /** Where relative paths begin. */
  readonly context: readonly TreeNode[];
  readonly variables: ReadonlyMap<string, Value>;
}

/** The node that a predicate is about, its place and the number of its companions. */
interface Focus {
  readonly node: TreeNode;
  readonly position: number;
  readonly last: number;
}

/** The type of a variable's value. */
export function variableType(variables: ReadonlyMap<string, Value>, name: string): ValueType | undefined {
  return variables.get(name)?.type;
}

/** Evaluates an expression whose types were found to fit. */
export function evaluate(expression: Expression, scope: Scope): Value {
  return new Evaluator(scope).value(expression, undefined);
}

/** The nodes after each step of a path, those before the first step first. */
export function trace(path: Expression & { readonly kind: 'path' }, scope: Scope): (readonly TreeNode[])[] {
  return new Evaluator(scope).trace(path, undefined);
}

/** Nodes that have a label: the others are not to be seen. */
function visible(nodes: readonly TreeNode[]): TreeNode[] {
  return nodes.filter((node) => node.label !== undefined);
}

class Evaluator {
  readonly #scope: Scope;
  readonly #patterns = new Map<Expression, Value & { readonly type: 'pattern' }>();

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  value(expression: Expression, focus: Focus | undefined): Value {
    switch (expression.kind) {
      case 'string':
        return { type: 'string', string: expression.text };
      case 'number':
        return { type: 'number', number: expression.number };
      case 'variable':
        return this.#scope.variables.get(expression.name) ?? { type: 'nodes', nodes: [] };
      case 'path':
        return { type: 'nodes', nodes: this.trace(expression, focus).at(-1) ?? [] };
      case 'call':
        return this.#call(expression, focus);
      case 'binary':
        return this.#binary(expression, focus);
    }
  }

  trace(path: Expression & { readonly kind: 'path' }, focus: Focus | undefined): (readonly TreeNode[])[] {
    let nodes: readonly TreeNode[];
    if (path.base === 'root') nodes = [this.#scope.root];
    else if (path.base === 'context') nodes = focus === undefined ? this.#scope.context : [focus.node];
    else {
      const base = this.value(path.base, focus);
      nodes = base.type === 'nodes' ? base.nodes : [];
    }
    nodes = path.filters.reduce((left, filter) => this.#filter(left, filter), nodes);
    const sets = [nodes];
    for (const step of path.steps) {
      nodes = this.#step(nodes, step);
      sets.push(nodes);
    }
    return sets;
  }

  #step(from: readonly TreeNode[], step: Step): readonly TreeNode[] {
    const found = new Set<TreeNode>();
    for (const node of from) for (const other of along(step.axis, node, this.#scope.root)) if (named(step, other)) found.add(other);
    return step.predicates.reduce<readonly TreeNode[]>((nodes, predicate) => this.#filter(nodes, predicate), [...found]);
  }

  /** The nodes for which a predicate holds; a number is a place among them all. */
  #filter(nodes: readonly TreeNode[], predicate: Expression): readonly TreeNode[] {
    return nodes.filter((node, i) => {
      const value = this.value(predicate, { node, position: i + 1, last: nodes.length });
      if (value.type === 'number') return value.number === i + 1;
      return value.type === 'nodes' ? value.nodes.length > 0 : value.type === 'boolean' && value.boolean;
    });
  }

  #call(call: Expression & { readonly kind: 'call' }, focus: Focus | undefined): Value {
    const parameters = (): Value[] => call.parameters.map((parameter) => this.value(parameter, focus));
    switch (call.name) {
      case 'last':
        return { type: 'number', number: focus?.last ?? 0 };
      case 'position':
        return { type: 'number', number: focus?.position ?? 0 };
      case 'label':
        return { type: 'string', string: focus?.node.label ?? '' };
      case 'modified':
        return { type: 'boolean', boolean: focus !== undefined && isModified(focus.node) };
      case 'count': {
        const [value] = parameters();
        return { type: 'number', number: value?.type === 'nodes' ? value.nodes.length : 0 };
      }
      case 'not': {
        const [value] = parameters();
        return { type: 'boolean', boolean: !(value?.type === 'boolean' && value.boolean) };
      }
      case 'int': {
        const [value] = parameters();
        if (value?.type === 'boolean') return { type: 'number', number: value.boolean ? 1 : 0 };
        const number = /^\s*([-+]?[0-9]{1,15})/.exec(value === undefined ? '' : (textsOf(value)[0] ?? ''));
        return { type: 'number', number: Number(number?.[1] ?? 0) };
      }
      case 'regexp':
      case 'glob':
        return this.#pattern(call, focus);
    }
  }

  #pattern(call: Expression & { readonly kind: 'call' }, focus: Focus | undefined): Value {
    const constant = call.parameters.every((parameter) => parameter.kind === 'string');
    const known = constant ? this.#patterns.get(call) : undefined;
    if (known !== undefined) return known;
    const [first, second] = call.parameters.map((parameter) => this.value(parameter, focus));
    const sources = first === undefined ? [] : textsOf(first);
    const options = { ignoreCase: second?.type === 'string' && second.string === 'i' };
    const pattern =
      call.name === 'glob'
        ? anyPattern(sources, sources.map(globMatcher))
        : anyPattern(
            sources,
            sources.map((source) => {
              const matcher = Matcher.of(source, options);
              return (text: string) => matcher.matches(text);
            }),
          );
    if (constant) this.#patterns.set(call, pattern);
    return pattern;
  }

  #binary({ operator, left, right }: Expression & { readonly kind: 'binary' }, focus: Focus | undefined): Value {
    const a = this.value(left, focus);
    if (operator === 'else') return truth(a) ? a : this.value(right, focus);
    if (operator === 'or' && truth(a)) return { type: 'boolean', boolean: true };
    if (operator === 'and' && !truth(a)) return { type: 'boolean', boolean: false };
    const b = this.value(right, focus);
    switch (operator) {
      case 'or':
      case 'and':
        return { type: 'boolean', boolean: truth(b) };
      case '|':
        return { type: 'nodes', nodes: [...new Set([...nodesOf(a), ...nodesOf(b)])] };
      case '=':
        return { type: 'boolean', boolean: equal(a, b) };
      case '!=':
        return { type: 'boolean', boolean: unequal(a, b) };
      case '=~':
      case '!~': {
        const matched = b.type === 'pattern' && textsOf(a).some(b.matches);
        return { type: 'boolean', boolean: matched === (operator === '=~') };
      }
      case '<':
      case '<=':
      case '>':
      case '>=':
        return { type: 'boolean', boolean: ordered(operator, a, b) };
      case '+':
        if (a.type === 'string' && b.type === 'string') return { type: 'string', string: a.string + b.string };
        if (a.type === 'pattern' && b.type === 'pattern') {
          const matcher = Matcher.of(`(${a.source})(${b.source})`);
          return { type: 'pattern', matches: (text) => matcher.matches(text), source: `(${a.source})(${b.source})` };
        }
        return { type: 'number', number: numberOf(a) + numberOf(b) };
      case '-':
        return { type: 'number', number: numberOf(a) - numberOf(b) };
      case '*':
        return { type: 'number', number: numberOf(a) * numberOf(b) };
    }
  }
}

function anyPattern(sources: readonly string[], tests: readonly ((text: string) => boolean)[]): Value & { readonly type: 'pattern' } {
  return { type: 'pattern', matches: (text) => tests.some((test) => test(text)), source: sources.join('|') };
}

function named(step: Step, node: TreeNode): boolean {
  return step.name === undefined ? true : node.label === step.name;
}

/** The nodes on an axis, in its own order. */
function along(axis: Axis, node: TreeNode, root: TreeNode): readonly TreeNode[] {
  switch (axis) {
    case 'self':
      return [node];
    case 'child':
      return visible(node.children);
    case 'seq':
      return visible(node.children).filter((child) => /^[0-9]+$/.test(child.label ?? ''));
    case 'descendant-or-self':
      return [node, ...descendants(node)];
    case 'descendant':
      return descendants(node);
    case 'parent':
      return node.parent === undefined ? [] : [node.parent];
    case 'ancestor': {
      const above: TreeNode[] = [];
      for (let at = node.parent; at !== undefined && at !== root; at = at.parent) above.push(at);
      return above;
    }
    case 'root':
      return [root];
    case 'preceding-sibling':
    case 'following-sibling': {
      const siblings = visible(node.parent?.children ?? []);
      const index = siblings.indexOf(node);
      return axis === 'following-sibling' ? siblings.slice(index + 1) : siblings.slice(0, index).reverse();
    }
  }
}

function isModified(node: TreeNode): boolean {
  return node.modified || (node.file !== undefined && node.dirty);
}

/** All nodes below one, each before its children. */
function descendants(node: TreeNode): TreeNode[] {
  const found: TreeNode[] = [];
  const left = visible(node.children).reverse();
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    found.push(at);
    for (let k = at.children.length - 1; k >= 0; k--) {
      const child = at.children[k]!;
      if (child.label !== undefined) left.push(child);
    }
  }
  return found;
}

function nodesOf(value: Value): readonly TreeNode[] {
  return value.type === 'nodes' ? value.nodes : [];
}

function numberOf(value: Value): number {
  return value.type === 'number' ? value.number : 0;
}

/** The texts that a value stands for: those of all its nodes, a node without a value having an empty one. */
function textsOf(value: Value): string[] {
  if (value.type === 'string') return [value.string];
  return nodesOf(value).map((node) => node.value ?? '');
}

function truth(value: Value): boolean {
  switch (value.type) {
    case 'nodes':
      return value.nodes.length > 0;
    case 'boolean':
      return value.boolean;
    case 'number':
      return value.number > 0;
    case 'string':
      return value.string.length > 0;
    case 'pattern':
      return true;
  }
}

/** Whether any text of one is a text of the other. */
function equal(a: Value, b: Value): boolean {
  if (a.type === 'number' || b.type === 'number') return numberOf(a) === numberOf(b);
  const texts = new Set(textsOf(a));
  return textsOf(b).some((text) => texts.has(text));
}

/** Whether any text of one is not a text of the other. */
function unequal(a: Value, b: Value): boolean {
  if (a.type === 'number' || b.type === 'number') return numberOf(a) !== numberOf(b);
  const texts = new Set(textsOf(a));
  const others = new Set(textsOf(b));
  if (texts.size === 0 || others.size === 0) return false;
  return texts.size > 1 || others.size > 1 || !equal(a, b);
}

/** Numbers are compared as numbers, texts by their bytes; nodes have no order. */
function ordered(operator: '<' | '<=' | '>' | '>=', a: Value, b: Value): boolean {
  const one = a.type === 'number' ? a.number : a.type === 'string' ? a.string : undefined;
  const other = b.type === 'number' ? b.number : b.type === 'string' ? b.string : undefined;
  if (one === undefined || other === undefined || typeof one !== typeof other) return false;
  switch (operator) {
    case '<':
      return one < other;
    case '<=':
      return one <= other;
    case '>':
      return one > other;
    case '>=':
      return one >= other;
  }
}

/** Path expressions, as a tree: the part of XPath that Augeas has. */
import { Posix } from '../errors.ts';

export type Axis =
  | 'self'
  | 'child'
  | 'seq'
  | 'descendant'
  | 'descendant-or-self'
  | 'parent'
  | 'ancestor'
  | 'root'
  | 'preceding-sibling'
  | 'following-sibling';

export const AXES: readonly Axis[] = [
  'self',
  'child',
  'seq',
  'descendant-or-self',
  'descendant',
  'parent',
  'ancestor',
  'root',
  'preceding-sibling',
  'following-sibling',
];

export interface Step {
  readonly axis: Axis;
  /** The label; undefined for any. */
  readonly name: string | undefined;
  readonly predicates: readonly Expression[];
}

export type BinaryOperator = 'or' | 'and' | 'else' | '=' | '!=' | '=~' | '!~' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '|';

export type Expression =
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  /** A path; absolute, from the context, or from what `base` gives. */
  | {
      readonly kind: 'path';
      readonly base: 'root' | 'context' | Expression;
      readonly filters: readonly Expression[];
      readonly steps: readonly Step[];
    }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly parameters: readonly Expression[] };

export type ValueType = 'nodes' | 'boolean' | 'number' | 'string' | 'pattern';

/** Functions by name, with the lists of arguments that they take and what they give. */
export const FUNCTIONS = {
  last: { takes: [[]], gives: 'number' },
  position: { takes: [[]], gives: 'number' },
  label: { takes: [[]], gives: 'string' },
  count: { takes: [['nodes']], gives: 'number' },
  regexp: { takes: [['string'], ['nodes'], ['string', 'string'], ['nodes', 'string']], gives: 'pattern' },
  glob: { takes: [['string'], ['nodes']], gives: 'pattern' },
  int: { takes: [['string'], ['nodes'], ['boolean']], gives: 'number' },
  not: { takes: [['boolean']], gives: 'boolean' },
  modified: { takes: [[]], gives: 'boolean' },
} as const satisfies Record<string, { readonly takes: readonly (readonly ValueType[])[]; readonly gives: ValueType }>;

export type FunctionName = keyof typeof FUNCTIONS;

export function isFunctionName(name: string): name is FunctionName {
  return Object.hasOwn(FUNCTIONS, name);
}

/** What is wrong with a path expression, and where. */
export class InvalidExpression extends Posix {
  readonly problem: string;
  /** The expression with `|=|` where reading it came to an end. */
  readonly position: string;
  constructor(problem: string, expression: string, at: number) {
    const position = `${expression.slice(0, at)}|=|${expression.slice(at)}`;
    super('EINVAL', {}, `Invalid path expression: ${problem}: ${position}`);
    this.problem = problem;
    this.position = position;
  }
}

/** Why types do not fit; the text of the error. */
export const TYPE_ERROR = 'type error';

/** The type of an expression, its parts checked. Answers undefined where types do not fit, or the name of a variable that nobody defined. */
export function typeOf(
  expression: Expression,
  variable: (name: string) => ValueType | undefined,
): ValueType | { readonly problem: string } {
  const check = (inner: Expression): ValueType => {
    switch (inner.kind) {
      case 'string':
      case 'number':
        return inner.kind;
      case 'variable': {
        const type = variable(inner.name);
        if (type === undefined) throw new Mismatch('undefined variable');
        return type;
      }
      case 'path':
        return checkPath(inner);
      case 'call': {
        const given = inner.parameters.map(check);
        const { takes, gives } = FUNCTIONS[inner.name];
        const counts: readonly (readonly ValueType[])[] = takes;
        const same = counts.filter((types) => types.length === given.length);
        if (same.length === 0) throw new Mismatch('wrong number of arguments in function call');
        const coerced = inner.name === 'not' && given[0] === 'nodes' ? undefined : given;
        if (coerced === undefined || !same.some((types) => types.every((type, i) => type === given[i]))) throw new Mismatch(TYPE_ERROR);
        return gives;
      }
      case 'binary':
        return checkBinary(inner.operator, check(inner.left), check(inner.right));
    }
  };
  const checkPath = (path: Expression & { kind: 'path' }): ValueType => {
    if (typeof path.base === 'object') {
      const base = check(path.base);
      if (path.filters.length === 0 && path.steps.length === 0) return base;
      if (base !== 'nodes') throw new Mismatch(TYPE_ERROR);
    }
    for (const filter of [...path.filters, ...path.steps.flatMap((step) => step.predicates)]) {
      if (check(filter) === 'pattern') throw new Mismatch(TYPE_ERROR);
    }
    return 'nodes';
  };
  try {
    return check(expression);
  } catch (error) {
    if (error instanceof Mismatch) return { problem: error.message };
    throw error;
  }
}

class Mismatch extends Error {}

function checkBinary(operator: BinaryOperator, left: ValueType, right: ValueType): ValueType {
  const both = `${left} ${right}`;
  const texts = (type: ValueType): boolean => type === 'nodes' || type === 'string';
  switch (operator) {
    case 'or':
    case 'and':
      if (left !== 'pattern' && right !== 'pattern') return 'boolean';
      break;
    case 'else':
    case '|':
      if (both === 'nodes nodes') return 'nodes';
      if (operator === 'else' && left === right) return left;
      break;
    case '=':
    case '!=':
      if ((texts(left) && texts(right)) || both === 'number number') return 'boolean';
      break;
    case '=~':
    case '!~':
      if (texts(left) && right === 'pattern') return 'boolean';
      break;
    case '<':
    case '<=':
    case '>':
    case '>=':
      if (left !== 'pattern' && right !== 'pattern') return 'boolean';
      break;
    case '+':
      if (both === 'number number' || both === 'string string' || both === 'pattern pattern') return left;
      break;
    case '-':
    case '*':
      if (both === 'number number') return 'number';
      break;
  }
  throw new Mismatch(TYPE_ERROR);
}

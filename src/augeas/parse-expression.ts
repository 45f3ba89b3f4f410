/** Reading path expressions. */
import {
  AXES,
  type BinaryOperator,
  type Expression,
  type FunctionName,
  InvalidExpression,
  isFunctionName,
  type Step,
} from './expression.ts';

/** The longest path expression, in bytes, and how deep its parts may nest. */
const LENGTH_LIMIT = 64 * 1024;
const DEPTH_LIMIT = 100;

/** What ends a name. */
const NAME_ENDS = '][|/=()!,';
const BLANKS = ' \t\n\r\v\f';

/** Reads a path expression. Throws InvalidExpression. */
export function parseExpression(text: string): Expression {
  if (text.length > LENGTH_LIMIT) throw new InvalidExpression(`longer than ${LENGTH_LIMIT} bytes`, '', 0);
  return new ExpressionParser(text).whole();
}

/** Operators by how tightly they bind, the loosest first; the longer of two with the same start comes first. */
const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ['else'],
  ['or'],
  ['and'],
  ['=~', '='],
  ['<=', '<', '>=', '>'],
  ['+', '-'],
  ['*'],
  ['|'],
];
const EQUALITIES: readonly BinaryOperator[] = ['=~', '=', '!=', '!~'];

class ExpressionParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Expression {
    this.#skip();
    const expression = this.#binary(0);
    this.#skip();
    if (this.#at < this.#text.length) throw this.#invalid('garbage at end of path expression');
    return expression;
  }

  #invalid(problem: string): InvalidExpression {
    return new InvalidExpression(problem, this.#text, this.#at);
  }

  #skip(): void {
    while (this.#at < this.#text.length && BLANKS.includes(this.#text[this.#at]!)) this.#at++;
  }

  #match(token: string): boolean {
    this.#skip();
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #binary(level: number): Expression {
    const operators = level === 3 ? EQUALITIES : LEVELS[level];
    if (operators === undefined) return this.#path();
    if (++this.#depth > DEPTH_LIMIT * LEVELS.length) throw this.#invalid('nested too deep');
    let left = this.#binary(level + 1);
    for (let operator = this.#operator(operators); operator !== undefined; operator = this.#operator(operators)) {
      left = { kind: 'binary', operator, left, right: this.#binary(level + 1) };
    }
    this.#depth--;
    return left;
  }

  #operator(operators: readonly BinaryOperator[]): BinaryOperator | undefined {
    this.#skip();
    for (const operator of operators) {
      if (!this.#text.startsWith(operator, this.#at)) continue;
      if (/^[a-z]/.test(operator) && !this.#wordEnds(this.#at + operator.length)) continue;
      this.#at += operator.length;
      this.#skip();
      return operator;
    }
    return undefined;
  }

  /** Whether a word operator may end here: a blank follows. */
  #wordEnds(at: number): boolean {
    const c = this.#text[at];
    return c !== undefined && BLANKS.includes(c);
  }

  #path(): Expression {
    this.#skip();
    const primary = this.#primary();
    if (primary !== undefined) {
      const filters = this.#predicates();
      const steps = this.#text[this.#at] === '/' ? this.#steps() : [];
      return filters.length === 0 && steps.length === 0 ? primary : { kind: 'path', base: primary, filters, steps };
    }
    if (this.#text[this.#at] === '/') return { kind: 'path', base: 'root', filters: [], steps: this.#steps() };
    const first = this.#step();
    return { kind: 'path', base: 'context', filters: [], steps: [first, ...(this.#skipTo('/') ? this.#steps() : [])] };
  }

  #skipTo(c: string): boolean {
    this.#skip();
    return this.#text[this.#at] === c;
  }

  /** Steps, each behind its slash. */
  #steps(): Step[] {
    const steps: Step[] = [];
    while (this.#skipTo('/')) {
      this.#at++;
      if (this.#text[this.#at] === '/') {
        this.#at++;
        steps.push({ axis: 'descendant-or-self', name: undefined, predicates: [] });
      }
      this.#skip();
      const c = this.#text[this.#at];
      // A slash alone is the root.
      if (steps.length === 0 && (c === undefined || '])|=!,'.includes(c))) break;
      steps.push(this.#step());
    }
    return steps;
  }

  #step(): Step {
    const axis = AXES.find((name) => this.#text.startsWith(`${name}::`, this.#at));
    if (axis !== undefined) this.#at += axis.length + 2;
    else {
      const dots = this.#dots();
      if (dots !== undefined) return { axis: dots === 1 ? 'self' : 'parent', name: undefined, predicates: this.#predicates() };
    }
    const name = this.#match('*') ? undefined : this.#name();
    return { axis: axis ?? 'child', name, predicates: this.#predicates() };
  }

  /** One or two dots that are not the start of a name. */
  #dots(): 1 | 2 | undefined {
    if (this.#text[this.#at] !== '.') return undefined;
    const count = this.#text[this.#at + 1] === '.' ? 2 : 1;
    const next = this.#text[this.#at + count];
    if (next !== undefined && !NAME_ENDS.includes(next) && !BLANKS.includes(next)) return undefined;
    this.#at += count;
    return count;
  }

  #name(): string {
    let name = '';
    let kept = 0;
    const start = this.#at;
    while (this.#at < this.#text.length) {
      const c = this.#text[this.#at]!;
      if (NAME_ENDS.includes(c)) break;
      if (BLANKS.includes(c) && /^\s+(and|or|else)\s/.test(this.#text.slice(this.#at, this.#at + 64))) break;
      if (c === '\\') {
        this.#at++;
        if (this.#at >= this.#text.length) throw this.#invalid('illegal name');
        name += this.#text[this.#at];
        kept = name.length;
      } else {
        name += c;
        if (!BLANKS.includes(c)) kept = name.length;
      }
      this.#at++;
    }
    if (this.#at === start) throw this.#invalid('empty name');
    return name.slice(0, kept);
  }

  #predicates(): Expression[] {
    const predicates: Expression[] = [];
    while (this.#match('[')) {
      this.#skip();
      predicates.push(this.#binary(0));
      if (!this.#match(']')) throw this.#invalid("unmatched '['");
    }
    return predicates;
  }

  #primary(): Expression | undefined {
    const rest = this.#text.slice(this.#at, this.#at + 64);
    const c = rest[0];
    if (c === '$') {
      this.#at++;
      return { kind: 'variable', name: this.#name() };
    }
    if (c === '(') {
      this.#at++;
      this.#skip();
      const inner = this.#binary(0);
      if (!this.#match(')')) throw this.#invalid("unmatched '('");
      return inner;
    }
    if (c === '"' || c === "'") {
      const end = this.#text.indexOf(c, this.#at + 1);
      if (end < 0) throw this.#invalid(`missing '${c}'`);
      const text = this.#text.slice(this.#at + 1, end);
      this.#at = end + 1;
      return { kind: 'string', text };
    }
    const digits = /^[0-9]+/.exec(rest);
    if (digits !== null) {
      this.#at += digits[0].length;
      const number = Number(digits[0]);
      if (!Number.isSafeInteger(number)) throw this.#invalid('illegal number');
      return { kind: 'number', number };
    }
    const call = /^([a-z]+)\s*\(/.exec(rest);
    const name = call?.[1] ?? '';
    if (call === null || !isFunctionName(name)) return undefined;
    this.#at += call[0].length;
    return { kind: 'call', name, parameters: this.#parameters(name) };
  }

  #parameters(name: FunctionName): Expression[] {
    const parameters: Expression[] = [];
    if (this.#match(')')) return parameters;
    do {
      this.#skip();
      parameters.push(this.#binary(0));
    } while (this.#match(','));
    if (!this.#match(')')) throw this.#invalid(`the arguments of ${name} are not closed by a parenthesis`);
    return parameters;
  }
}

/** A label as it has to stand in a path expression. */
export function escapeName(label: string): string {
  let escaped = '';
  for (const c of label) escaped += NAME_ENDS.includes(c) || BLANKS.includes(c) || c === '\\' ? `\\${c}` : c;
  return escaped;
}

/** Matching of expressions that refer back to their groups: by trying, within a bounded number of steps. */
import { Unsupported } from '../../../errors.ts';
import { type Expression, holds } from './syntax.ts';

/** Steps tried for one text. */
const STEP_LIMIT = 5_000_000;
/** How deep matching nests; the stack of JavaScript has to hold it. */
const DEPTH_LIMIT = 800;

type Next = (at: number) => boolean;

/** A matcher for any expression. What it gives throws Unsupported where a text takes too long. */
export function backtrackingMatcher(expression: Expression, insensitive: boolean): (text: Uint8Array) => boolean {
  return (text) => {
    const attempt = new Attempt(insensitive ? lowerCase(text) : text);
    for (let start = 0; start <= text.length; start++) if (attempt.from(expression, start)) return true;
    return false;
  };
}

/** A text in which what a group holds can be compared without its case. */
function lowerCase(text: Uint8Array): Uint8Array {
  return text.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
}

class Attempt {
  readonly #text: Uint8Array;
  readonly #groups = new Map<number, readonly [number, number]>();
  #steps = 0;
  #depth = 0;

  constructor(text: Uint8Array) {
    this.#text = text;
  }

  from(expression: Expression, start: number): boolean {
    this.#groups.clear();
    return this.#match(expression, start, () => true);
  }

  #match(expression: Expression, at: number, next: Next): boolean {
    this.#count();
    this.#depth++;
    const matched = this.#try(expression, at, next);
    this.#depth--;
    return matched;
  }

  #try(expression: Expression, at: number, next: Next): boolean {
    const text = this.#text;
    switch (expression.kind) {
      case 'empty':
        return next(at);
      case 'byte':
        return at < text.length && expression.set[text[at] as number] === 1 && next(at + 1);
      case 'position':
        return holds(expression.at, text[at - 1] ?? -1, text[at] ?? -1) && next(at);
      case 'sequence':
        return this.#sequence(expression.parts, 0, at, next);
      case 'choice':
        return expression.parts.some((part) => this.#match(part, at, next));
      case 'group': {
        const before = this.#groups.get(expression.number);
        const matched = this.#match(expression.of, at, (end) => {
          const inner = this.#groups.get(expression.number);
          this.#groups.set(expression.number, [at, end]);
          if (next(end)) return true;
          if (inner !== undefined) this.#groups.set(expression.number, inner);
          return false;
        });
        if (!matched && before === undefined) this.#groups.delete(expression.number);
        return matched;
      }
      case 'again': {
        const group = this.#groups.get(expression.number);
        if (group === undefined) return false;
        const length = group[1] - group[0];
        for (let i = 0; i < length; i++) if (text[group[0] + i] !== text[at + i]) return false;
        return next(at + length);
      }
      case 'repeat':
        return this.#repeat(expression.of, expression.least, expression.most, at, next);
    }
  }

  #sequence(parts: readonly Expression[], index: number, at: number, next: Next): boolean {
    const part = parts[index];
    return part === undefined ? next(at) : this.#match(part, at, (end) => this.#sequence(parts, index + 1, end, next));
  }

  #repeat(of: Expression, least: number, most: number, at: number, next: Next): boolean {
    if (of.kind === 'byte') return this.#repeatByte(of.set, least, most, at, next);
    if (most > 0) {
      const again = this.#match(
        of,
        at,
        (end) => (end > at || least > 0) && this.#repeat(of, end > at ? Math.max(0, least - 1) : 0, most - 1, end, next),
      );
      if (again) return true;
    }
    return least === 0 && next(at);
  }

  /** As many as there are, then fewer. */
  #repeatByte(set: Uint8Array, least: number, most: number, at: number, next: Next): boolean {
    let end = at;
    while (end < this.#text.length && end - at < most && set[this.#text[end] as number] === 1) end++;
    for (; end - at >= least; end--) {
      if (next(end)) return true;
      this.#count();
    }
    return false;
  }

  #count(): void {
    if (++this.#steps > STEP_LIMIT || this.#depth > DEPTH_LIMIT) {
      throw new Unsupported('back-references', 'this regular expression with back-references takes too long on this text');
    }
  }
}

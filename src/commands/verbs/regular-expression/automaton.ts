/**
 * Matching in a time that grows with the text alone: the expression becomes a nondeterministic automaton (Thompson, "Regular Expression
 * Search Algorithm"), and sets of its states become states of a deterministic one as they are met.
 */
import { invalidExpression } from './bracket.ts';
import { type Expression, holds, isWordByte, type Position } from './syntax.ts';

/** The largest automaton, in steps. */
const STEP_LIMIT = 40_000;
/** Sets of states that are remembered; beyond them everything is forgotten and built again. */
const MEMORY_LIMIT = 1000;
/** Steps that remembered sets hold together. */
const MEMORY_STEPS = 2_000_000;

type Step =
  | { readonly kind: 'byte'; readonly set: Uint8Array }
  | { readonly kind: 'position'; readonly at: Position }
  | { readonly kind: 'jump'; readonly to: readonly number[] }
  | { readonly kind: 'match' };

/** What stood before: the beginning of the line, a letter of a word, something else. */
type Before = 0 | 1 | 2;
const BEFORE_BYTE = [-1, 0x61, 0x20] as const;
const END = 256;

interface State {
  readonly steps: readonly number[];
  readonly before: Before;
  /** By byte, and at 256 for the line's end: the next state; true where the expression has matched. */
  readonly next: (State | true | undefined)[];
}

/** A matcher for an expression without references to its groups. Throws EINVAL for one that is too large. */
export function automatonMatcher(expression: Expression): (text: Uint8Array) => boolean {
  const steps: Step[] = [];
  emit(steps, expression);
  steps.push({ kind: 'match' });
  return new Automaton(steps).matches;
}

function add(steps: Step[], step: Step): number {
  if (steps.length >= STEP_LIMIT) throw invalidExpression('it is too big');
  return steps.push(step) - 1;
}

function emit(steps: Step[], expression: Expression): void {
  switch (expression.kind) {
    case 'empty':
    case 'again':
      return;
    case 'byte':
    case 'position':
      add(steps, expression);
      return;
    case 'group':
      emit(steps, expression.of);
      return;
    case 'sequence':
      for (const part of expression.parts) emit(steps, part);
      return;
    case 'choice':
      emitChoice(steps, expression.parts);
      return;
    case 'repeat':
      emitRepeat(steps, expression.of, expression.least, expression.most);
      return;
  }
}

function emitChoice(steps: Step[], parts: readonly Expression[]): void {
  const starts: number[] = [];
  const ends: number[] = [];
  add(steps, { kind: 'jump', to: starts });
  for (const part of parts) {
    starts.push(steps.length);
    emit(steps, part);
    ends.push(add(steps, { kind: 'match' }));
  }
  for (const end of ends) steps[end] = { kind: 'jump', to: [steps.length] };
}

function emitRepeat(steps: Step[], of: Expression, least: number, most: number): void {
  const before = steps.length;
  for (let i = 0; i < least; i++) {
    emit(steps, of);
    if (steps.length === before) break;
  }
  if (most === Number.POSITIVE_INFINITY) {
    const fork: number[] = [];
    const start = add(steps, { kind: 'jump', to: fork });
    fork.push(steps.length);
    emit(steps, of);
    add(steps, { kind: 'jump', to: [start] });
    fork.push(steps.length);
    return;
  }
  const forks: number[][] = [];
  for (let i = least; i < most; i++) {
    const fork: number[] = [];
    const start = add(steps, { kind: 'jump', to: fork });
    fork.push(start + 1);
    forks.push(fork);
    emit(steps, of);
    if (steps.length === start + 1) break;
  }
  for (const fork of forks) fork.push(steps.length);
}

class Automaton {
  readonly #steps: readonly Step[];
  readonly #known = new Map<string, State>();
  #remembered = 0;
  #start: State;
  /** The last round in which a step was visited. */
  readonly #visited: Uint32Array;
  #round = 0;

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
    this.#visited = new Uint32Array(steps.length);
    this.#start = this.#state([0], 0);
  }

  readonly matches = (text: Uint8Array): boolean => {
    let state = this.#start;
    for (let i = 0; i <= text.length; i++) {
      const symbol = i < text.length ? (text[i] as number) : END;
      const next = state.next[symbol] ?? this.#advance(state, symbol);
      if (next === true) return true;
      state = next;
    }
    return false;
  };

  #state(steps: readonly number[], before: Before): State {
    const key = `${before}:${steps.join(',')}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#remembered += steps.length;
    if (this.#known.size >= MEMORY_LIMIT || this.#remembered > MEMORY_STEPS) {
      this.#known.clear();
      this.#remembered = steps.length;
      this.#start = { steps: [0], before: 0, next: [] };
    }
    const state: State = { steps, before, next: [] };
    this.#known.set(key, state);
    return state;
  }

  /** Where a state leads with a byte, or at the line's end. */
  #advance(state: State, symbol: number): State | true {
    const before = BEFORE_BYTE[state.before];
    const after = symbol === END ? -1 : symbol;
    const reached = new Set<number>();
    this.#round++;
    const waiting = [...state.steps];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (this.#visited[at] === this.#round) continue;
      this.#visited[at] = this.#round;
      const step = this.#steps[at] as Step;
      if (step.kind === 'match') {
        state.next[symbol] = true;
        return true;
      }
      if (step.kind === 'jump') for (const to of step.to) waiting.push(to);
      else if (step.kind === 'position') {
        if (holds(step.at, before, after)) waiting.push(at + 1);
      } else if (symbol !== END && step.set[symbol] === 1) reached.add(at + 1);
    }
    // A match may begin at any byte.
    reached.add(0);
    const next = this.#state(
      [...reached].sort((a, b) => a - b),
      symbol === END ? 2 : isWordByte(symbol) ? 1 : 2,
    );
    state.next[symbol] = next;
    return next;
  }
}

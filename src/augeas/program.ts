/** The automaton: instructions, their builder, and the run that follows all threads at once. */
import { Posix } from '../errors.ts';
import type { ByteSet, Pattern } from './pattern.ts';
import { parsePattern } from './pattern.ts';

/**
 * One instruction. `set` takes one byte of the set; `fork` goes both ways, `next` first; `mark` notes that the run came by; `check` goes on
 * only when the text since `mark` passes `test`; `take` takes one item that passes `test`; `store` as `check`, on the node's value.
 */
export interface Instruction {
  readonly op: 'set' | 'fork' | 'mark' | 'check' | 'take' | 'store' | 'accept';
  next: number;
  other: number;
  readonly mark: number;
  readonly set: ByteSet | undefined;
  readonly test: ((text: string) => boolean) | undefined;
}

/** The largest program, in instructions. */
const PROGRAM_LIMIT = 200_000;

/** Builds programs back to front: every method is told where to go on and answers where to begin. */
export class ProgramBuilder {
  readonly code: Instruction[] = [];

  add(op: Instruction['op'], next: number, more: Partial<Instruction> = {}): number {
    if (this.code.length >= PROGRAM_LIMIT) throw new Posix('EINVAL', {}, `an expression needs more than ${PROGRAM_LIMIT} steps`);
    this.code.push({ op, next, other: -1, mark: -1, set: undefined, test: undefined, ...more });
    return this.code.length - 1;
  }

  fork(first: number, second: number): number {
    return this.add('fork', first, { other: second });
  }

  /** A loop around what `body` builds; `body` is told where the loop's head is. Answers the head. */
  loop(after: number, body: (head: number) => number): number {
    const head = this.fork(-1, after);
    this.code[head]!.next = body(head);
    return head;
  }

  pattern(pattern: Pattern, next: number): number {
    switch (pattern.kind) {
      case 'set':
        return this.add('set', next, { set: pattern.set });
      case 'sequence':
        return pattern.parts.reduceRight((after, part) => this.pattern(part, after), next);
      case 'choice':
        return pattern.parts
          .slice(0, -1)
          .reduceRight((rest, part) => this.fork(this.pattern(part, next), rest), this.pattern(pattern.parts.at(-1)!, next));
      case 'repeat': {
        const { part, min, max } = pattern;
        let start = next;
        if (max === undefined) start = this.loop(next, (head) => this.pattern(part, head));
        else for (let k = min; k < max; k++) start = this.fork(this.pattern(part, start), next);
        for (let k = 0; k < min; k++) start = this.pattern(part, start);
        return start;
      }
    }
  }
}

/** The marks that a run passed, the last one first. */
export interface History {
  readonly mark: number;
  readonly at: number;
  readonly previous: History | undefined;
}

export type Outcome = { readonly history: History | undefined } | { readonly failedAt: number };

/** What a program runs over. */
export interface Input {
  readonly length: number;
  /** Whether instruction `code` takes the item at `at`. */
  takes(code: Instruction, at: number): boolean;
  /** Whether a `check` or `store` lets the run pass at `at`. */
  passes(code: Instruction, at: number, history: History | undefined): boolean;
  /** Whether every run that succeeds has to come by a `store`. */
  readonly mustStore: boolean;
}

/** The threads at one place of the input: their instructions in order of preference and what each has passed. */
class Threads {
  readonly slots: number[] = [];
  readonly histories: (History | undefined)[] = [];
}

/** Runs a program over a whole input. Each (instruction, place) is visited once at most, so the time is bounded. */
export function runProgram(code: readonly Instruction[], start: number, input: Input): Outcome {
  const visited = new Int32Array(code.length * 2).fill(-1);
  const stackSlots: number[] = [];
  const stackHistories: (History | undefined)[] = [];
  let accepted: { history: History | undefined } | undefined;

  const follow = (threads: Threads, slot: number, history: History | undefined, at: number): void => {
    stackSlots.push(slot);
    stackHistories.push(history);
    while (stackSlots.length > 0) {
      const current = stackSlots.pop()!;
      const past = stackHistories.pop();
      if (visited[current] === at) continue;
      visited[current] = at;
      const stored = current & 1;
      const step = code[current >> 1]!;
      switch (step.op) {
        case 'set':
        case 'take':
          threads.slots.push(current);
          threads.histories.push(past);
          break;
        case 'fork':
          stackSlots.push((step.other << 1) | stored, (step.next << 1) | stored);
          stackHistories.push(past, past);
          break;
        case 'mark':
          stackSlots.push((step.next << 1) | stored);
          stackHistories.push({ mark: step.mark, at, previous: past });
          break;
        case 'check':
        case 'store':
          if (input.passes(step, at, past)) {
            stackSlots.push((step.next << 1) | (step.op === 'store' ? 1 : stored));
            stackHistories.push(past);
          }
          break;
        case 'accept':
          if (at === input.length && (stored === 1 || !input.mustStore)) accepted ??= { history: past };
          break;
      }
    }
  };

  let threads = new Threads();
  follow(threads, start << 1, undefined, 0);
  for (let at = 0; at < input.length; at++) {
    const following = new Threads();
    for (let k = 0; k < threads.slots.length; k++) {
      const slot = threads.slots[k]!;
      const step = code[slot >> 1]!;
      if (!input.takes(step, at)) continue;
      const past = threads.histories[k];
      const history = step.op === 'take' ? { mark: step.mark, at, previous: past } : past;
      follow(following, (step.next << 1) | (slot & 1), history, at + 1);
    }
    if (following.slots.length === 0 && accepted === undefined) return { failedAt: at };
    threads = following;
  }
  return accepted ?? { failedAt: input.length };
}

/** A text as input: one byte per character. */
export function textInput(text: string): Input {
  return {
    length: text.length,
    takes: (step, at) => step.set![text.charCodeAt(at) & 0xff] === 1,
    passes: (step, at, history) => step.test!(text.slice(markedAt(history, step.mark), at)),
    mustStore: false,
  };
}

function markedAt(history: History | undefined, mark: number): number {
  let entry = history;
  while (entry !== undefined && entry.mark !== mark) entry = entry.previous;
  return entry?.at ?? 0;
}

/** A pattern made ready to match whole texts. */
export class Matcher {
  readonly #code: readonly Instruction[];
  readonly #start: number;

  constructor(pattern: Pattern) {
    const builder = new ProgramBuilder();
    this.#start = builder.pattern(pattern, builder.add('accept', -1));
    this.#code = builder.code;
  }

  /** A matcher for a regular expression; see `parsePattern`. */
  static of(source: string, options: { readonly ignoreCase?: boolean } = {}): Matcher {
    return new Matcher(parsePattern(source, options));
  }

  matches(text: string): boolean {
    return 'history' in runProgram(this.#code, this.#start, textInput(text));
  }
}

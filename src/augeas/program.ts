/** The automaton: instructions, their builder, and the run that follows all threads at once. */
import { Posix } from '../errors.ts';
import type { ByteSet, Pattern } from './pattern.ts';
import { parsePattern } from './pattern.ts';

/**
 * One instruction. `set` takes one byte of the set; `fork` goes both ways, `next` first; `mark` notes that the run came by; `check` goes on
 * only when the text since `mark` passes `test`; `take` takes one item that passes `test`; `store` as `check`, on the node's value; `call` runs
 * a part that can contain itself, from `other` to its `return`, and goes on at `next`. Such a part takes at least one item.
 */
export interface Instruction {
  readonly op: 'set' | 'fork' | 'mark' | 'check' | 'take' | 'store' | 'call' | 'return' | 'accept';
  next: number;
  other: number;
  readonly mark: number;
  readonly set: ByteSet | undefined;
  readonly test: ((text: string) => boolean) | undefined;
}

/** The largest program, in instructions. */
const PROGRAM_LIMIT = 200_000;
/** How deep calls may nest. */
export const CALL_DEPTH_LIMIT = 400;

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

/** The marks that a run passed, the last one first. Where a call was, `inner` has those that it passed. */
export interface History {
  readonly mark: number;
  readonly at: number;
  readonly inner?: History | undefined;
  readonly previous: History | undefined;
}

/**
 * A part that can contain itself, called at one place of the input. All callers of that place share it: so the number of frames is that of the
 * places times that of such parts, however often the texts nest (as in Tomita's graph-structured stack).
 */
interface Frame {
  readonly at: number;
  readonly number: number;
  depth: number;
  readonly callers: { readonly slot: number; readonly frame: Frame | undefined; readonly history: History | undefined }[];
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
  /** The byte at a place, and END_OF_TEXT behind the last; undefined when the items are no bytes. */
  byteAt?(at: number): number;
}

const END_OF_TEXT = 256;

/** By program and instruction, with which bytes (and END_OF_TEXT) a way from there can go on: ways that cannot are not taken at all. */
const firstBytes = new WeakMap<readonly Instruction[], (Uint8Array | undefined)[]>();

function firstBytesOf(code: readonly Instruction[], from: number): Uint8Array {
  let known = firstBytes.get(code);
  if (known === undefined) {
    known = [];
    firstBytes.set(code, known);
  }
  let found = known[from];
  if (found !== undefined) return found;
  found = new Uint8Array(END_OF_TEXT + 1);
  const pending = [from];
  const seen = new Set(pending);
  const look = (at: number): void => {
    if (!seen.has(at)) {
      seen.add(at);
      pending.push(at);
    }
  };
  while (pending.length > 0) {
    const at = pending.pop()!;
    const step = code[at]!;
    const other = known[at];
    if (other !== undefined) for (let byte = 0; byte < other.length; byte++) found[byte]! |= other[byte]!;
    else if (step.op === 'set') for (let byte = 0; byte < END_OF_TEXT; byte++) found[byte]! |= step.set![byte]!;
    else if (step.op === 'take' || step.op === 'return') found.fill(1);
    else if (step.op === 'accept') found[END_OF_TEXT] = 1;
    else if (step.op === 'call') look(step.other);
    else {
      look(step.next);
      if (step.op === 'fork') look(step.other);
    }
  }
  known[from] = found;
  return found;
}

/** The threads at one place of the input: their instructions in order of preference, the call they are in and what each has passed. */
class Threads {
  readonly slots: number[] = [];
  readonly frames: (Frame | undefined)[] = [];
  readonly histories: (History | undefined)[] = [];
}

/** Runs a program over a whole input. Each (instruction, call) is visited once at most at a place, so the time is bounded. */
export function runProgram(code: readonly Instruction[], start: number, input: Input): Outcome {
  const visited = new Int32Array(code.length * 2).fill(-1);
  const visitedInside = new Set<number>();
  const called = new Map<number, Frame>();
  let frames = 0;
  let place = 0;
  const stackSlots: number[] = [];
  const stackFrames: (Frame | undefined)[] = [];
  const stackHistories: (History | undefined)[] = [];
  let accepted: { history: History | undefined } | undefined;

  const push = (slot: number, frame: Frame | undefined, history: History | undefined): void => {
    stackSlots.push(slot);
    stackFrames.push(frame);
    stackHistories.push(history);
  };
  const isNew = (slot: number, frame: Frame | undefined, at: number): boolean => {
    if (frame === undefined) {
      if (visited[slot] === at) return false;
      visited[slot] = at;
      return true;
    }
    const id = frame.number * visited.length + slot;
    if (visitedInside.has(id)) return false;
    visitedInside.add(id);
    return true;
  };
  const call = (step: Instruction, stored: number, frame: Frame | undefined, history: History | undefined, at: number): void => {
    const depth = (frame?.depth ?? 0) + 1;
    if (depth > CALL_DEPTH_LIMIT) return;
    const caller = { slot: (step.next << 1) | stored, frame, history };
    const running = called.get(step.other);
    if (running !== undefined) {
      running.callers.push(caller);
      running.depth = Math.max(running.depth, depth);
      return;
    }
    const inside = { at, number: frames++, depth, callers: [caller] };
    called.set(step.other, inside);
    push(step.other << 1, inside, undefined);
  };

  let ahead: number | undefined = input.byteAt?.(0);
  const canGoOn = (target: number): boolean => ahead === undefined || firstBytesOf(code, target)[ahead] === 1;

  const follow = (threads: Threads, first: number, firstFrame: Frame | undefined, history: History | undefined, at: number): void => {
    if (at !== place) {
      place = at;
      ahead = input.byteAt?.(at);
      visitedInside.clear();
      called.clear();
    }
    push(first, firstFrame, history);
    while (stackSlots.length > 0) {
      const current = stackSlots.pop()!;
      const frame = stackFrames.pop();
      const past = stackHistories.pop();
      if (!isNew(current, frame, at)) continue;
      const stored = current & 1;
      const step = code[current >> 1]!;
      switch (step.op) {
        case 'set':
          if (ahead !== undefined && step.set![ahead] !== 1) break;
          threads.slots.push(current);
          threads.frames.push(frame);
          threads.histories.push(past);
          break;
        case 'take':
          threads.slots.push(current);
          threads.frames.push(frame);
          threads.histories.push(past);
          break;
        case 'fork':
          if (canGoOn(step.other)) push((step.other << 1) | stored, frame, past);
          if (canGoOn(step.next)) push((step.next << 1) | stored, frame, past);
          break;
        case 'mark':
          push((step.next << 1) | stored, frame, { mark: step.mark, at, previous: past });
          break;
        case 'check':
        case 'store':
          if (input.passes(step, at, past)) push((step.next << 1) | (step.op === 'store' ? 1 : stored), frame, past);
          break;
        case 'call':
          call(step, stored, frame, past, at);
          break;
        case 'return': {
          if (frame === undefined || frame.at === at) break;
          const { callers } = frame;
          for (let k = callers.length - 1; k >= 0; k--) {
            const caller = callers[k]!;
            push(caller.slot, caller.frame, { mark: -1, at, inner: past, previous: caller.history });
          }
          break;
        }
        case 'accept':
          if (at === input.length && (stored === 1 || !input.mustStore)) accepted ??= { history: past };
          break;
      }
    }
  };

  let threads = new Threads();
  follow(threads, start << 1, undefined, undefined, 0);
  for (let at = 0; at < input.length; at++) {
    const following = new Threads();
    let taken = false;
    for (let k = 0; k < threads.slots.length; k++) {
      const slot = threads.slots[k]!;
      const step = code[slot >> 1]!;
      if (!input.takes(step, at)) continue;
      taken = true;
      const past = threads.histories[k];
      const history = step.op === 'take' ? { mark: step.mark, at, previous: past } : past;
      follow(following, (step.next << 1) | (slot & 1), threads.frames[k], history, at + 1);
    }
    if (following.slots.length === 0 && accepted === undefined) return { failedAt: taken && input.byteAt !== undefined ? at + 1 : at };
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
    byteAt: (at) => (at < text.length ? text.charCodeAt(at) & 0xff : END_OF_TEXT),
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

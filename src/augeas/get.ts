/** From text to tree. */
import { Corrupt } from '../errors.ts';
import type { Lens } from './lens.ts';
import { literal } from './pattern.ts';
import { CALL_DEPTH_LIMIT, type History, type Instruction, ProgramBuilder, runProgram, textInput } from './program.ts';
import { TreeNode } from './tree.ts';

/** The text does not fit the lens; `position` is the byte at which no way led on. */
export class ParseFailure extends Corrupt {
  readonly position: number;
  constructor(position: number) {
    super(`the text does not have the form of this file from byte ${position} on`);
    this.position = position;
  }
}

/** How a text fits a lens: what is not in the tree, in the lens's own shape. `either` leaves no trace, as `maybe` that is there. */
export type Skeleton =
  | { readonly kind: 'hidden'; readonly text: string }
  | { readonly kind: 'plain' }
  | { readonly kind: 'all'; readonly parts: readonly Skeleton[] }
  | { readonly kind: 'many'; readonly parts: readonly Skeleton[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'quoted'; readonly mark: string; readonly part: Skeleton }
  | { readonly kind: 'node' };

/** The nodes at one level of a file by label, each with its own skeleton and what is below it. */
export type Dictionary = Map<string, Original[]>;
export interface Original {
  readonly skeleton: Skeleton;
  readonly below: Dictionary;
}

/** Marks that follow one another in the order of the text; `start` and `end` of leaves, the choice of `either`, the rounds of `many`. */
export interface Mark {
  readonly mark: number;
  readonly at: number;
}

/** Marks of the outermost lens are numbered by this, so that a mark tells which lens made it. */
interface TextProgram {
  readonly code: readonly Instruction[];
  readonly start: number;
}

const ROUND = 1;
const END = 0;

const programs = new WeakMap<Lens, TextProgram>();

function textProgram(lens: Lens): TextProgram {
  let program = programs.get(lens);
  if (program === undefined) {
    const builder = new ProgramBuilder();
    const start = compile(builder, lens, builder.add('accept', -1), { next: 2, entries: new Map() });
    program = { code: builder.code, start };
    programs.set(lens, program);
  }
  return program;
}

/** The number of the next leaf's mark, and where the lenses that contain themselves begin. */
interface Leaves {
  next: number;
  readonly entries: Map<Lens, { start: number | undefined; readonly calls: number[] }>;
}

function compile(builder: ProgramBuilder, lens: Lens, next: number, leaves: Leaves): number {
  switch (lens.kind) {
    case 'hidden':
    case 'store':
    case 'key': {
      const mark = leaves.next++;
      let after = builder.add('mark', next, { mark: END });
      const except = lens.kind === 'hidden' ? undefined : lens.except;
      if (except !== undefined) after = builder.add('check', after, { mark, test: (text) => !except(text) });
      return builder.add('mark', builder.pattern(lens.pattern, after), { mark });
    }
    case 'value':
    case 'label':
    case 'sequence':
    case 'counter':
      return next;
    case 'all':
      return lens.parts.reduceRight((after, part) => compile(builder, part, after, leaves), next);
    case 'either': {
      const starts = lens.parts.map((part, choice) => builder.add('mark', compile(builder, part, next, leaves), { mark: choice }));
      return starts.reduceRight((rest, start) => builder.fork(start, rest));
    }
    case 'many':
      return builder.loop(builder.add('mark', next, { mark: END }), (head) =>
        builder.add('mark', compile(builder, lens.part, head, leaves), { mark: ROUND }),
      );
    case 'maybe':
      return builder.fork(
        builder.add('mark', compile(builder, lens.part, next, leaves), { mark: ROUND }),
        builder.add('mark', next, { mark: END }),
      );
    case 'node':
      return compile(builder, lens.part, next, leaves);
    case 'recursive':
      return compileCall(builder, lens, next, leaves);
    case 'quoted': {
      const starts = lens.marks.map((quote, choice) => {
        const inside = compile(builder, lens.part, builder.pattern(literal(quote), next), leaves);
        return builder.add('mark', builder.pattern(literal(quote), inside), { mark: choice });
      });
      return starts.reduceRight((rest, start) => builder.fork(start, rest));
    }
  }
}

/** A call of a lens that contains itself; it is compiled once, and calls that stand in it get its start when it is known. */
function compileCall(builder: ProgramBuilder, lens: Lens & { readonly kind: 'recursive' }, next: number, leaves: Leaves): number {
  let entry = leaves.entries.get(lens);
  if (entry === undefined) {
    entry = { start: undefined, calls: [] };
    leaves.entries.set(lens, entry);
    entry.start = compile(builder, lens.part, builder.add('return', -1), leaves);
    for (const call of entry.calls) builder.code[call]!.other = entry.start;
  }
  const call = builder.add('call', next, { other: entry.start ?? -1 });
  if (entry.start === undefined) entry.calls.push(call);
  return call;
}

/** The marks of a run in order. */
export function marksOf(history: History | undefined): Mark[] {
  const marks: Mark[] = [];
  const pending = [history];
  while (pending.length > 0) {
    const entry = pending.pop();
    if (entry === undefined) continue;
    pending.push(entry.previous);
    if (entry.mark >= 0) marks.push({ mark: entry.mark, at: entry.at });
    else pending.push(entry.inner);
  }
  return marks.reverse();
}

/** What a text is by a lens. */
export interface Reading {
  readonly children: readonly TreeNode[];
  readonly original: Original;
}

/** Reads a text by a lens. Throws ParseFailure. */
export function get(lens: Lens, text: string): Reading {
  const { code, start } = textProgram(lens);
  const outcome = runProgram(code, start, textInput(text));
  if ('failedAt' in outcome) throw new ParseFailure(outcome.failedAt);
  const reader = new Reader(text, marksOf(outcome.history));
  const root = new TreeNode(undefined);
  const below: Dictionary = new Map();
  const skeleton = reader.read(lens, root, below);
  return { children: root.children, original: { skeleton, below } };
}

const PLAIN: Skeleton = { kind: 'plain' };
const NONE: Skeleton = { kind: 'none' };
const NODE: Skeleton = { kind: 'node' };

/** Walks a lens along the marks of a run. */
class Reader {
  readonly #text: string;
  readonly #marks: readonly Mark[];
  readonly #counters = new Map<string, number>();
  #at = 0;
  #depth = 0;

  constructor(text: string, marks: readonly Mark[]) {
    this.#text = text;
    this.#marks = marks;
  }

  #take(): number {
    return this.#marks[this.#at++]!.mark;
  }

  #leaf(): string {
    const start = this.#marks[this.#at++]!.at;
    return this.#text.slice(start, this.#marks[this.#at++]!.at);
  }

  read(lens: Lens, into: TreeNode, dictionary: Dictionary): Skeleton {
    switch (lens.kind) {
      case 'hidden':
        return { kind: 'hidden', text: this.#leaf() };
      case 'store':
        into.value = this.#leaf();
        return PLAIN;
      case 'key':
        into.label = this.#leaf();
        return PLAIN;
      case 'value':
        into.value = lens.text;
        return PLAIN;
      case 'label':
        into.label = lens.text;
        return PLAIN;
      case 'counter':
        this.#counters.delete(lens.counter);
        return PLAIN;
      case 'sequence': {
        const number = (this.#counters.get(lens.counter) ?? 0) + 1;
        this.#counters.set(lens.counter, number);
        into.label = String(number);
        return PLAIN;
      }
      case 'all':
        return { kind: 'all', parts: lens.parts.map((part) => this.read(part, into, dictionary)) };
      case 'either':
        return this.read(lens.parts[this.#take()]!, into, dictionary);
      case 'many': {
        const parts: Skeleton[] = [];
        while (this.#take() === ROUND) parts.push(this.read(lens.part, into, dictionary));
        return { kind: 'many', parts };
      }
      case 'maybe':
        return this.#take() === ROUND ? this.read(lens.part, into, dictionary) : NONE;
      case 'recursive': {
        if (++this.#depth > CALL_DEPTH_LIMIT) throw new ParseFailure(this.#marks[this.#at]?.at ?? 0);
        const skeleton = this.read(lens.part, into, dictionary);
        this.#depth--;
        return skeleton;
      }
      case 'quoted': {
        const mark = lens.marks[this.#take()]!;
        return { kind: 'quoted', mark, part: this.read(lens.part, into, dictionary) };
      }
      case 'node': {
        const child = into.append(new TreeNode(undefined));
        const below: Dictionary = new Map();
        const skeleton = this.read(lens.part, child, below);
        const name = child.label ?? '';
        const same = dictionary.get(name);
        if (same === undefined) dictionary.set(name, [{ skeleton, below }]);
        else same.push({ skeleton, below });
        return NODE;
      }
    }
  }
}

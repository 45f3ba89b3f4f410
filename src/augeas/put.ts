/** From tree back to text: what did not change keeps its form. */
import { Corrupt } from '../errors.ts';
import { type Dictionary, type Mark, marksOf, type Original, type Skeleton } from './get.ts';
import type { Lens } from './lens.ts';
import type { Pattern } from './pattern.ts';
import { type Input, type Instruction, Matcher, ProgramBuilder, runProgram } from './program.ts';
import type { TreeNode } from './tree.ts';

/** The tree does not fit the lens; `node` is where. */
export class PutFailure extends Corrupt {
  readonly node: TreeNode;
  constructor(node: TreeNode, message: string) {
    super(message);
    this.node = node;
  }
}

const ROUND = 1;
const END = 0;

/** How the labels and values of the children of one node fit a lens. */
interface TreeProgram {
  readonly code: readonly Instruction[];
  readonly start: number;
  /** The lenses of nodes, by the `mark` of their `take` instruction. */
  readonly takers: readonly NodeShape[];
}

/** Which nodes the lens of a node takes, seen from their parent. */
interface NodeShape {
  readonly lens: Lens & { readonly kind: 'node' };
  label(text: string | undefined): boolean;
  value(text: string | undefined): boolean;
}

const shapes = new WeakMap<Lens, NodeShape>();
const programs = new WeakMap<Lens, TreeProgram>();
const matchers = new WeakMap<Pattern, Matcher>();

function matcherOf(pattern: Pattern): Matcher {
  let matcher = matchers.get(pattern);
  if (matcher === undefined) {
    matcher = new Matcher(pattern);
    matchers.set(pattern, matcher);
  }
  return matcher;
}

type TextTest = (text: string | undefined) => boolean;

function leafTest(lens: Lens): TextTest | undefined {
  switch (lens.kind) {
    case 'key':
    case 'store': {
      const matcher = matcherOf(lens.pattern);
      const { except } = lens;
      return (text) => text !== undefined && matcher.matches(text) && except?.(text) !== true;
    }
    case 'label':
    case 'value':
      return (text) => text === lens.text;
    case 'sequence':
      return (text) => text !== undefined && /^[0-9]+$/.test(text);
    default:
      return undefined;
  }
}

/** The tests for labels (or values) that can apply to the node itself, and whether it can do without one. */
function testsOf(lens: Lens, which: 'label' | 'value'): { readonly tests: readonly TextTest[]; readonly optional: boolean } {
  switch (lens.kind) {
    case 'key':
    case 'label':
    case 'sequence':
      return which === 'label' ? { tests: [leafTest(lens)!], optional: false } : { tests: [], optional: true };
    case 'store':
    case 'value':
      return which === 'value' ? { tests: [leafTest(lens)!], optional: false } : { tests: [], optional: true };
    case 'all': {
      const parts = lens.parts.map((part) => testsOf(part, which));
      return { tests: parts.flatMap((part) => part.tests), optional: parts.every((part) => part.optional) };
    }
    case 'either': {
      const parts = lens.parts.map((part) => testsOf(part, which));
      return { tests: parts.flatMap((part) => part.tests), optional: parts.some((part) => part.optional) };
    }
    case 'many':
    case 'maybe':
      return { tests: testsOf(lens.part, which).tests, optional: true };
    case 'quoted':
    case 'recursive':
      return testsOf(lens.part, which);
    default:
      return { tests: [], optional: true };
  }
}

function shapeOf(lens: Lens & { readonly kind: 'node' }): NodeShape {
  let shape = shapes.get(lens);
  if (shape === undefined) {
    const labels = testsOf(lens.part, 'label');
    const values = testsOf(lens.part, 'value');
    shape = {
      lens,
      label: (text) => (text === undefined ? labels.optional : labels.tests.some((test) => test(text))),
      value: (text) => (text === undefined ? values.optional : values.tests.some((test) => test(text))),
    };
    shapes.set(lens, shape);
  }
  return shape;
}

function treeProgram(lens: Lens): TreeProgram {
  let program = programs.get(lens);
  if (program === undefined) {
    const builder = new ProgramBuilder();
    const takers: NodeShape[] = [];
    const start = compile(builder, lens, builder.add('accept', -1), takers);
    program = { code: builder.code, start, takers };
    programs.set(lens, program);
  }
  return program;
}

const LABEL_TEST = 0;
const VALUE_TEST = 1;

function compile(builder: ProgramBuilder, lens: Lens, next: number, takers: NodeShape[]): number {
  switch (lens.kind) {
    case 'hidden':
    case 'counter':
      return next;
    case 'key':
    case 'label':
    case 'sequence':
      return builder.add('check', next, { mark: LABEL_TEST, test: leafTest(lens) });
    case 'store':
    case 'value':
      return builder.add('store', next, { mark: VALUE_TEST, test: leafTest(lens) });
    case 'all':
      return lens.parts.reduceRight((after, part) => compile(builder, part, after, takers), next);
    case 'either': {
      const starts = lens.parts.map((part, choice) => builder.add('mark', compile(builder, part, next, takers), { mark: choice }));
      return starts.reduceRight((rest, start) => builder.fork(start, rest));
    }
    case 'many':
      return builder.loop(builder.add('mark', next, { mark: END }), (head) =>
        builder.add('mark', compile(builder, lens.part, head, takers), { mark: ROUND }),
      );
    case 'maybe':
      return builder.fork(
        builder.add('mark', compile(builder, lens.part, next, takers), { mark: ROUND }),
        builder.add('mark', next, { mark: END }),
      );
    case 'quoted':
    case 'recursive':
      return compile(builder, lens.part, next, takers);
    case 'node':
      takers.push(shapeOf(lens));
      return builder.add('take', next, { mark: takers.length - 1 });
  }
}

/** The children of a node, and the node itself for tests of its own label and value, as input of a program. */
function nodeInput(node: TreeNode, takers: readonly NodeShape[], outermost: boolean): Input {
  const { children } = node;
  return {
    length: children.length,
    takes: (step, at) => {
      const child = children[at]!;
      const shape = takers[step.mark]!;
      return shape.label(child.label) && shape.value(child.value);
    },
    passes: (step) => {
      const text = step.mark === LABEL_TEST ? node.label : node.value;
      return text !== undefined && step.test!(text);
    },
    mustStore: !outermost && node.value !== undefined,
  };
}

const NOTHING: Dictionary = new Map();
const ABSENT: Skeleton = { kind: 'none' };

/** The text of the children of `node` by a lens, in the form that `original` has where it can. Throws PutFailure. */
export function put(lens: Lens, node: TreeNode, original: Original | undefined): string {
  const writer = new Writer();
  writer.children(lens, node, original?.skeleton, original?.below ?? NOTHING, true);
  return writer.text();
}

class Writer {
  readonly #pieces: string[] = [];

  text(): string {
    return this.#pieces.join('');
  }

  /** Writes the inside of a node. */
  children(lens: Lens, node: TreeNode, skeleton: Skeleton | undefined, dictionary: Dictionary, outermost: boolean): void {
    const { code, start, takers } = treeProgram(lens);
    const outcome = runProgram(code, start, nodeInput(node, takers, outermost));
    if ('failedAt' in outcome) throw mismatch(node, outcome.failedAt);
    const used = new Map<string, number>();
    new Walk(this, node, takers, marksOf(outcome.history), dictionary, used).write(lens, skeleton);
  }

  add(text: string): void {
    this.#pieces.push(text);
  }
}

function mismatch(node: TreeNode, at: number): PutFailure {
  const child = node.children[at];
  if (child === undefined) return new PutFailure(node, 'a node is missing, or the value of this one does not fit');
  return new PutFailure(node, `the node ${child.label ?? '(none)'} (number ${at + 1}) does not fit here`);
}

/** Walks a lens along the marks of a run over the children of one node. */
class Walk {
  readonly #writer: Writer;
  readonly #node: TreeNode;
  readonly #takers: readonly NodeShape[];
  readonly #marks: readonly Mark[];
  readonly #dictionary: Dictionary;
  readonly #used: Map<string, number>;
  #at = 0;

  constructor(
    writer: Writer,
    node: TreeNode,
    takers: readonly NodeShape[],
    marks: readonly Mark[],
    dictionary: Dictionary,
    used: Map<string, number>,
  ) {
    this.#writer = writer;
    this.#node = node;
    this.#takers = takers;
    this.#marks = marks;
    this.#dictionary = dictionary;
    this.#used = used;
  }

  write(lens: Lens, skeleton: Skeleton | undefined): void {
    switch (lens.kind) {
      case 'hidden': {
        const fits = skeleton?.kind === 'hidden' && matcherOf(lens.pattern).matches(skeleton.text);
        this.#writer.add(fits ? skeleton.text : lens.fallback);
        return;
      }
      case 'store':
        this.#writer.add(this.#node.value ?? '');
        return;
      case 'key':
        this.#writer.add(this.#node.label ?? '');
        return;
      case 'value':
      case 'label':
      case 'sequence':
      case 'counter':
        return;
      case 'all':
        for (const [k, part] of lens.parts.entries()) this.write(part, skeleton?.kind === 'all' ? skeleton.parts[k] : undefined);
        return;
      case 'either': {
        const chosen = lens.parts[this.#marks[this.#at++]!.mark]!;
        this.write(chosen, skeleton !== undefined && isInstance(chosen, skeleton) ? skeleton : undefined);
        return;
      }
      case 'many': {
        const parts = skeleton?.kind === 'many' ? skeleton.parts : [];
        for (let round = 0; this.#marks[this.#at++]!.mark === ROUND; round++) this.write(lens.part, parts[round]);
        return;
      }
      case 'maybe':
        if (this.#marks[this.#at++]!.mark === ROUND)
          this.write(lens.part, skeleton !== undefined && isInstance(lens.part, skeleton) ? skeleton : undefined);
        return;
      case 'recursive':
        this.write(lens.part, skeleton);
        return;
      case 'quoted': {
        const had = skeleton?.kind === 'quoted' && lens.marks.includes(skeleton.mark) ? skeleton : undefined;
        const mark = had?.mark ?? lens.fallback;
        this.#writer.add(mark);
        this.write(lens.part, had?.part);
        this.#writer.add(mark);
        return;
      }
      case 'node': {
        const { mark, at } = this.#marks[this.#at++]!;
        const child = this.#node.children[at]!;
        const inner = this.#takers[mark]!.lens.part;
        const original = this.#original(child.label ?? '');
        const fits = original !== undefined && isInstance(inner, original.skeleton);
        this.#writer.children(inner, child, fits ? original.skeleton : undefined, original?.below ?? NOTHING, false);
        return;
      }
    }
  }

  /** The next node of this label that the file had. */
  #original(label: string): Original | undefined {
    const count = this.#used.get(label) ?? 0;
    this.#used.set(label, count + 1);
    return this.#dictionary.get(label)?.[count];
  }
}

/** Whether a skeleton could have come of a lens. */
function isInstance(lens: Lens, skeleton: Skeleton): boolean {
  switch (lens.kind) {
    case 'hidden':
      return skeleton.kind === 'hidden' && matcherOf(lens.pattern).matches(skeleton.text);
    case 'all':
      return (
        skeleton.kind === 'all' &&
        skeleton.parts.length === lens.parts.length &&
        lens.parts.every((part, k) => isInstance(part, skeleton.parts[k] ?? ABSENT))
      );
    case 'either':
      return lens.parts.some((part) => isInstance(part, skeleton));
    case 'many':
      return skeleton.kind === 'many' && skeleton.parts.every((part) => isInstance(lens.part, part));
    case 'maybe':
      return skeleton.kind === 'none' || isInstance(lens.part, skeleton);
    case 'quoted':
      return skeleton.kind === 'quoted' && lens.marks.includes(skeleton.mark) && isInstance(lens.part, skeleton.part);
    case 'recursive':
      return isInstance(lens.part, skeleton);
    case 'node':
      return skeleton.kind === 'node';
    default:
      return skeleton.kind === 'plain';
  }
}

/**
 * Lenses: descriptions of a file format that say at once how to read it into a tree and how to write the tree back.
 *
 * A lens is data. The combinators are those of Foster et al., "Combinators for Bidirectional Tree Transformations" (POPL 2005), in the
 * string-to-tree form that Augeas made known; `get` and `put` give them meaning. A lens has to be unambiguous: every text and every list of
 * nodes fits it in one way.
 */
import { literal, type Pattern, type PatternOptions, parsePattern } from './pattern.ts';

export type Lens =
  /** Text that is not in the tree; what new text has in its place. */
  | { readonly kind: 'hidden'; readonly pattern: Pattern; readonly fallback: string }
  /** Text that is the value of the node. */
  | { readonly kind: 'store'; readonly pattern: Pattern; readonly except: Exception | undefined }
  /** A value that stands for itself and has no text. */
  | { readonly kind: 'value'; readonly text: string }
  /** Text that is the label of the node. */
  | { readonly kind: 'key'; readonly pattern: Pattern; readonly except: Exception | undefined }
  /** A label that has no text. */
  | { readonly kind: 'label'; readonly text: string }
  /** A label 1, 2, 3, …, counted per name. */
  | { readonly kind: 'sequence'; readonly counter: string }
  /** Starts a counter anew. */
  | { readonly kind: 'counter'; readonly counter: string }
  | { readonly kind: 'all'; readonly parts: readonly Lens[] }
  | { readonly kind: 'either'; readonly parts: readonly Lens[] }
  | { readonly kind: 'many'; readonly part: Lens }
  | { readonly kind: 'maybe'; readonly part: Lens }
  | { readonly kind: 'node'; readonly part: Lens }
  /** A lens that contains itself, behind at least one byte and inside of a node. */
  | { readonly kind: 'recursive'; readonly part: Lens }
  /** The part between two equal marks, each of which may be missing where `marks` has an empty one; new text gets `fallback`. */
  | { readonly kind: 'quoted'; readonly part: Lens; readonly marks: readonly string[]; readonly fallback: string };

/** Words that a pattern would match but that are something else. */
export type Exception = (text: string) => boolean;

/** A lens, or a text that has to stand there as it is. */
export type Part = Lens | string;

function part(lens: Part): Lens {
  return typeof lens === 'string' ? { kind: 'hidden', pattern: literal(lens), fallback: lens } : lens;
}

/** Patterns are parsed when a file first needs them: there are hundreds, and a program seldom needs one. */
function withPattern<T extends object>(source: string, options: PatternOptions, rest: T): T & { readonly pattern: Pattern } {
  let parsed: Pattern | undefined;
  return Object.defineProperty(rest, 'pattern', {
    get: () => {
      parsed ??= parsePattern(source, options);
      return parsed;
    },
    enumerable: true,
  }) as T & { readonly pattern: Pattern };
}

/** Text outside of the tree; `fallback` is what new text gets. */
export function hidden(pattern: string, fallback: string): Lens {
  return withPattern(pattern, {}, { kind: 'hidden', fallback });
}

export function store(pattern: string, except?: Exception): Lens {
  return withPattern(pattern, {}, { kind: 'store', except });
}

export function value(text: string): Lens {
  return { kind: 'value', text };
}

export function key(pattern: string, except?: Exception, options: PatternOptions = {}): Lens {
  return withPattern(pattern, options, { kind: 'key', except });
}

/** A label that is one of these words. */
export function keyword(words: readonly string[], options: PatternOptions = {}): Lens {
  return key(words.map((word) => word.replace(/[.+*?()[\]{}|\\]/g, '\\$&')).join('|'), undefined, options);
}

export function label(text: string): Lens {
  return { kind: 'label', text };
}

export function sequence(counter: string): Lens {
  return { kind: 'sequence', counter };
}

export function counter(name: string): Lens {
  return { kind: 'counter', counter: name };
}

/** One after the other. */
export function all(...parts: readonly Part[]): Lens {
  return parts.length === 1 ? part(parts[0]!) : { kind: 'all', parts: parts.map(part) };
}

/** One of several. */
export function either(...parts: readonly Part[]): Lens {
  return { kind: 'either', parts: parts.map(part) };
}

/** Any number of times, also none. */
export function many(...parts: readonly Part[]): Lens {
  return { kind: 'many', part: all(...parts) };
}

/** At least once. */
export function some(...parts: readonly Part[]): Lens {
  return all(all(...parts), many(...parts));
}

/** Once or not at all. */
export function maybe(...parts: readonly Part[]): Lens {
  return { kind: 'maybe', part: all(...parts) };
}

/** A node of the tree. */
export function node(...parts: readonly Part[]): Lens {
  return { kind: 'node', part: all(...parts) };
}

/** A lens that contains itself: `build` is given what stands for it. Its text is never empty, and inside it is only below a node. */
export function recursive(build: (itself: Lens) => Lens): Lens {
  const itself: { kind: 'recursive'; part: Lens } = { kind: 'recursive', part: { kind: 'all', parts: [] } };
  itself.part = build(itself);
  return itself;
}

/** Items with something between them, at least one. */
export function separated(item: Lens, separator: Part): Lens {
  return all(item, many(separator, item));
}

/** A part between two equal marks, one of `marks`; the empty mark stands for none. */
export function quoted(marks: readonly string[], fallback: string, ...parts: readonly Part[]): Lens {
  return { kind: 'quoted', part: all(...parts), marks, fallback };
}

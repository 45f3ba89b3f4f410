/** glob(3) with GLOB_BRACE, over the files of a guest. */
import { compareBytes, encodeName } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import type { EditableTree } from '../../guest/edit.ts';
import { globMatcher } from '../../guest/glob.ts';
import type { Io } from '../../io/effect.ts';

/** Patterns that braces may become. */
const BRACE_LIMIT = 1024;
/** Paths that may be found. */
const PATH_LIMIT = 100_000;

/** The paths that fit, those of each pattern in byte order; with `mark` a slash behind directories. */
export function* globExpand(tree: EditableTree, pattern: string, mark: boolean): Io<string[]> {
  const found: string[] = [];
  for (const one of expandBraces(pattern)) found.push(...(yield* matchPattern(tree, one, mark)));
  return found;
}

function tooMany(): Posix {
  return new Posix('E2BIG', {}, `the pattern stands for more than ${BRACE_LIMIT} patterns or ${PATH_LIMIT} paths`);
}

/** `a{b,c}d` stands for `abd` and `acd`; `{}` and a brace without its partner stand for themselves. */
export function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const waiting = [pattern];
  for (let rounds = 0; waiting.length > 0; rounds++) {
    if (rounds > BRACE_LIMIT * 4 || done.length > BRACE_LIMIT || waiting.length > BRACE_LIMIT) throw tooMany();
    const next = waiting.shift() ?? '';
    const braces = firstBraces(next);
    if (braces === undefined) done.push(next);
    else waiting.unshift(...braces.alternatives.map((part) => next.slice(0, braces.start) + part + next.slice(braces.end)));
  }
  return done;
}

function firstBraces(
  pattern: string,
): { readonly start: number; readonly end: number; readonly alternatives: readonly string[] } | undefined {
  for (let start = 0; start < pattern.length; start++) {
    if (pattern[start] === '\\') start++;
    else if (pattern[start] === '{' && pattern[start + 1] !== '}') {
      const cuts = [start];
      let depth = 0;
      for (let i = start + 1; i < pattern.length; i++) {
        const character = pattern[i];
        if (character === '\\') i++;
        else if (character === '{') depth++;
        else if (character === ',' && depth === 0) cuts.push(i);
        else if (character === '}' && depth-- === 0) {
          cuts.push(i);
          const alternatives = cuts.slice(1).map((cut, k) => pattern.slice((cuts[k] ?? 0) + 1, cut));
          return { start, end: i + 1, alternatives };
        }
      }
    }
  }
  return undefined;
}

const SPECIAL = /[*?[]/;

function unquote(text: string): string {
  return text.replace(/\\(.)/gsu, '$1');
}

function* matchPattern(tree: EditableTree, pattern: string, mark: boolean): Io<string[]> {
  // Names and the slashes before them, as they were given.
  const steps = [...pattern.matchAll(/(\/*)([^/]+)/g)];
  const trailing = /\/+$/.exec(pattern)?.[0] ?? '';
  if (steps.length === 0) return trailing === '' ? [] : [trailing];
  let found = [''];
  for (const [, slashes = '', name = ''] of steps) {
    const next: string[] = [];
    const special = SPECIAL.test(name.replace(/\\./gsu, ''));
    for (const prefix of found) {
      if (special) for (const match of yield* namesThatFit(tree, prefix === '' ? '/' : prefix, name)) next.push(prefix + slashes + match);
      else next.push(prefix + slashes + unquote(name));
      if (next.length > PATH_LIMIT) throw tooMany();
    }
    found = special ? next : yield* those(next, (path) => tree.exists(path, { followLast: false }));
  }
  const directories = new Set(yield* those(found, (path) => isDirectory(tree, path)));
  if (trailing !== '') found = found.filter((path) => directories.has(path));
  const marked = found.map((path) => path + (trailing !== '' ? trailing : mark && directories.has(path) ? '/' : ''));
  return marked.sort((a, b) => compareBytes(encodeName(a), encodeName(b)));
}

function* those(paths: readonly string[], test: (path: string) => Io<boolean>): Io<string[]> {
  const fitting: string[] = [];
  for (const path of paths) if (yield* test(path)) fitting.push(path);
  return fitting;
}

function* isDirectory(tree: EditableTree, path: string): Io<boolean> {
  try {
    return (yield* tree.stat(path)).kind === 'directory';
  } catch (error) {
    if (error instanceof Posix) return false;
    throw error;
  }
}

/** A name with a dot at its beginning fits only a pattern that has it too. */
function* namesThatFit(tree: EditableTree, directory: string, pattern: string): Io<string[]> {
  if (!(yield* isDirectory(tree, directory))) return [];
  const fits = globMatcher(pattern);
  const hidden = pattern.startsWith('.') || pattern.startsWith('\\.');
  const names = yield* tree.names(directory);
  return [...(hidden ? ['.', '..'] : []), ...names].filter((name) => (hidden || !name.startsWith('.')) && fits(name));
}

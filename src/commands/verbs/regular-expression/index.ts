/** Regular expressions over bytes, as grep(1) understands them. */
import { automatonMatcher } from './automaton.ts';
import { backtrackingMatcher } from './backtrack.ts';
import { parseExpression } from './parse.ts';
import type { Expression, Options } from './syntax.ts';

export type { Options as RegularExpressionOptions } from './syntax.ts';

/** A function that tells whether a line without its newline matches anywhere. Throws EINVAL for what is no regular expression. */
export function lineMatcher(text: Uint8Array, options: Options = {}): (line: Uint8Array) => boolean {
  const expression = parseExpression(text, options);
  const automaton = automatonMatcher(expression);
  if (!refersBack(expression)) return automaton;
  return backtrackingMatcher(expression, options.insensitive === true);
}

function refersBack(expression: Expression): boolean {
  switch (expression.kind) {
    case 'again':
      return true;
    case 'sequence':
    case 'choice':
      return expression.parts.some(refersBack);
    case 'repeat':
    case 'group':
      return refersBack(expression.of);
    default:
      return false;
  }
}

/** Which files a path expression can reach: only those have to be read for it. */
import type { Expression } from './expression.ts';

/** Labels from the root; what lies above or below such a path may be looked at. */
export type Prefix = readonly string[];

const EVERYTHING: readonly Prefix[] = [[]];

/** The paths within which an expression looks. `context` is where relative paths begin; undefined when nobody knows. */
export function reach(expression: Expression, context: Prefix | undefined): readonly Prefix[] {
  switch (expression.kind) {
    case 'string':
    case 'number':
      return [];
    case 'variable':
      return EVERYTHING;
    case 'call':
      return expression.parameters.flatMap((parameter) => reach(parameter, context));
    case 'binary':
      return [...reach(expression.left, context), ...reach(expression.right, context)];
    case 'path': {
      const { base, filters, steps } = expression;
      const labels: string[] = [];
      if (base === 'context') {
        if (context === undefined) return EVERYTHING;
        labels.push(...context);
      } else if (base !== 'root') return EVERYTHING;
      let simple = true;
      for (const { axis, name, predicates } of steps) {
        if (axis !== 'child' && axis !== 'self' && axis !== 'descendant' && axis !== 'descendant-or-self') return EVERYTHING;
        if (axis === 'child' && name !== undefined && simple) labels.push(name);
        else if (axis !== 'self' || name !== undefined) simple = false;
        // A predicate looks below the node that it is about, unless it climbs or names something else.
        if (predicates.some((predicate) => climbs(predicate))) return EVERYTHING;
        const others = predicates.flatMap((predicate) => reach(predicate, labels));
        if (others.some((other) => !startsWith(other, labels))) return EVERYTHING;
      }
      return filters.length > 0 ? EVERYTHING : [labels];
    }
  }
}

/** Whether an expression may leave the part of the tree below the node where it begins. */
function climbs(expression: Expression): boolean {
  switch (expression.kind) {
    case 'string':
    case 'number':
      return false;
    case 'variable':
      return true;
    case 'call':
      return expression.parameters.some(climbs);
    case 'binary':
      return climbs(expression.left) || climbs(expression.right);
    case 'path':
      return (
        expression.base !== 'context' ||
        expression.filters.length > 0 ||
        expression.steps.some(
          ({ axis, predicates }) =>
            (axis !== 'child' && axis !== 'self' && axis !== 'descendant' && axis !== 'descendant-or-self') || predicates.some(climbs),
        )
      );
  }
}

function startsWith(path: Prefix, start: Prefix): boolean {
  return start.every((label, i) => path[i] === label);
}

/** Whether one of two paths lies on the way to the other. */
export function comparable(one: Prefix, other: Prefix): boolean {
  const length = Math.min(one.length, other.length);
  for (let i = 0; i < length; i++) if (one[i] !== other[i]) return false;
  return true;
}

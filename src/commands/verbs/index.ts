/** All verbs of the libguestfs API that are here. */
import { handleVerbs } from './handle-verbs.ts';
import type { AnyVerb, Verbs } from './verb.ts';

/** Every domain's verbs; a new domain is added here. */
const DOMAINS: readonly Verbs[] = [handleVerbs];

let all: Map<string, AnyVerb> | undefined;

function allVerbs(): ReadonlyMap<string, AnyVerb> {
  if (all === undefined) {
    all = new Map();
    for (const domain of DOMAINS) for (const [name, verb] of Object.entries(domain)) all.set(name, verb as AnyVerb);
  }
  return all;
}

/** A verb by its name in the API; undefined when it is not here. */
export function findVerb(name: string): AnyVerb | undefined {
  return allVerbs().get(name);
}

/** The names of all verbs that are here. */
export function verbNames(): Iterable<string> {
  return allVerbs().keys();
}

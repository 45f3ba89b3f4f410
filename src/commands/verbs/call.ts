/** Calling a verb by name: what the API asks of every call's arguments is checked here, in the order in which libguestfs's daemon does. */
import { Posix, Unsupported } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import type { ArgumentFacts, FunctionFacts } from '../api/facts.ts';
import { GROUPS } from '../api/functions.ts';
import { AVAILABLE_GROUPS } from './groups.ts';
import type { Handle } from './handle.ts';
import { findVerb } from './index.ts';

/** A feature that is known and not here; the API has an errno of its own for it. */
export class FeatureMissing extends Unsupported {}

/** Throws FeatureMissing when the group of a function is not available. */
function requireGroup(facts: FunctionFacts): void {
  const { group } = facts;
  if (group === undefined || AVAILABLE_GROUPS.has(group)) return;
  throw new FeatureMissing(
    group,
    `feature '${group}' is not available in guestless; 'guestless fish supported' lists the groups, ${AVAILABLE_GROUPS.size} of ${GROUPS.length} are there`,
  );
}

/** Runs a function of the API. `args` has a value for every argument that is not optional. */
export function* callVerb(handle: Handle, facts: FunctionFacts, args: Readonly<Record<string, unknown>>): Io<unknown> {
  const verb = findVerb(facts.name);
  // Some functions of a group that is not here answer all the same: clients ask for logical volumes without asking for the group.
  if (verb === undefined) requireGroup(facts);
  if (verb === undefined) throw new FeatureMissing(facts.name, `${facts.name} is not available in guestless`);
  const checked: Record<string, unknown> = { ...args };
  for (const argument of facts.arguments) {
    const value = args[argument.name];
    if (Array.isArray(value)) {
      const element = /<(.*)>/.exec(argument.type)?.[1];
      if (element === undefined) continue;
      const values: unknown[] = [];
      for (const one of value) values.push(yield* checkArgument(handle, element, argument, String(one)));
      checked[argument.name] = values;
    } else if (typeof value === 'string') checked[argument.name] = yield* checkArgument(handle, argument.type, argument, value);
  }
  return yield* verb.run(handle, checked);
}

/** The value of an argument as verbs get it. */
function* checkArgument(handle: Handle, type: string, { name }: ArgumentFacts, value: string): Io<string> {
  switch (type) {
    case 'Pathname':
      handle.requireMount();
      return requireAbsolute(value);
    case 'Device':
      return yield* handle.resolveDevice(value);
    case 'Mountable':
      return yield* mountable(handle, value);
    case 'Dev_or_Path':
    case 'Mountable_or_Path':
      // What is there as a device is meant as one; a path below /dev of the guest cannot be named so, as in libguestfs.
      if (value.startsWith('/dev/')) return yield* handle.resolveDevice(value);
      if (type === 'Mountable_or_Path' && value.startsWith('btrfsvol:')) return yield* mountable(handle, value);
      handle.requireMount();
      return requireAbsolute(value);
    case 'GUID':
      return requireGuid(name, value);
    case 'Filename':
      if (value.includes('/')) throw new Posix('EINVAL', {}, `${name}: '${value}' is not a file name`);
      return value;
    default:
      return value;
  }
}

function requireAbsolute(path: string): string {
  if (!path.startsWith('/')) throw new Posix('EINVAL', {}, `path must start with a / character, unlike '${path}'`);
  return path;
}

function* mountable(handle: Handle, value: string): Io<string> {
  if (value.startsWith('btrfsvol:')) throw new FeatureMissing('btrfs', 'btrfs subvolumes cannot be opened by guestless');
  return yield* handle.resolveDevice(value);
}

/** A GUID with or without braces and hyphens, as the API takes them. */
function requireGuid(name: string, value: string): string {
  const bare = value.replace(/^\{(.*)\}$/, '$1');
  if (!/^(?:[0-9A-Fa-f]-?){31}[0-9A-Fa-f]$/.test(bare)) throw new Posix('EINVAL', {}, `${name}: '${value}' is not a valid GUID`);
  return value;
}

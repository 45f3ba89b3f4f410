/** Names of the guest's users and groups, from its own passwd and group files. */
import { GuestlessError } from '../errors.ts';
import type { GuestTree } from '../guest/tree.ts';
import type { Io } from '../io/effect.ts';

export interface Accounts {
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
}

/** Files longer than this are not looked at. */
const LIMIT = 4 << 20;

/** Reads /etc/passwd and /etc/group; what cannot be read gives no names. */
export function* readAccounts(tree: GuestTree): Io<Accounts> {
  return { users: yield* names(tree, '/etc/passwd'), groups: yield* names(tree, '/etc/group') };
}

/** `name:x:NUMBER:...`; the first name of a number counts. */
function* names(tree: GuestTree, path: string): Io<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  try {
    for (const line of (yield* tree.readText(path, { limit: LIMIT })).split('\n')) {
      const [name = '', , number = ''] = line.split(':');
      if (name !== '' && /^[0-9]{1,10}$/.test(number) && !found.has(Number(number))) found.set(Number(number), name);
    }
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
  }
  return found;
}

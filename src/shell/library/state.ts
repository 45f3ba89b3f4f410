/** Starting and ending, what is there, and what the library says of itself. */
import type { FunctionFacts } from '../../commands/api/facts.ts';
import { GROUPS } from '../../commands/api/functions.ts';
import { FeatureMissing } from '../../commands/verbs/call.ts';
import { Posix, Unsupported } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { type LibraryFunctions, MAX_DRIVES, type Session } from '../session.ts';

/** The version of libguestfs whose functions these are. */
const VERSION = { major: 1, minor: 48, release: 6, extra: '' };

// biome-ignore lint/correctness/useYield: a function of the API like others
function* notHere(feature: string, why: string): Io<never> {
  throw new Unsupported(feature, why);
}

/** Whether a group of functions is here; Posix for one that nobody knows. */
function* available(session: Session, group: string): Io<boolean> {
  const answer = yield* session.call('internal_feature_available', { group });
  if (answer === 2) throw new Posix('EINVAL', {}, `${group}: unknown group; ${GROUPS.length} are known, 'supported' lists them`);
  return answer === 0;
}

const LAUNCH: Pick<FunctionFacts, 'name'> = { name: 'get_pid' };

export const stateFunctions: LibraryFunctions = {
  *launch(session) {
    yield* session.launch();
    if (session.events.listens('launch_done')) yield* session.events.raise(session.host, 'launch_done', []);
  },
  *shutdown(session) {
    yield* session.shutdown();
  },
  *kill_subprocess(session) {
    yield* session.shutdown();
  },
  // biome-ignore lint/correctness/useYield: answers from memory
  *get_pid(session) {
    session.handle(LAUNCH);
    return session.host.processId;
  },
  // biome-ignore lint/correctness/useYield: answers from memory
  *is_config(session) {
    return !session.launched;
  },
  *user_cancel() {},
  // biome-ignore lint/correctness/useYield: answers from memory
  *version() {
    return VERSION;
  },
  // biome-ignore lint/correctness/useYield: answers from memory
  *max_disks() {
    return MAX_DRIVES;
  },
  c_pointer: () => notHere('c_pointer', 'there is no handle of the C library here'),
  config: () => notHere('config', 'there is no hypervisor here that could be given parameters'),
  mount_local: () => notHere('mount_local', 'FUSE is not supported; use guestmount with the stand-in (guestless appliance env)'),
  mount_local_run: () => notHere('mount_local', 'FUSE is not supported; use guestmount with the stand-in (guestless appliance env)'),
  umount_local: () => notHere('mount_local', 'FUSE is not supported; use guestmount with the stand-in (guestless appliance env)'),
  *feature_available(session, { groups }) {
    for (const group of groups) if (!(yield* available(session, group))) return false;
    return true;
  },
  *available(session, { groups }) {
    for (const group of groups) {
      if (!(yield* available(session, group))) throw new FeatureMissing(group, `${group}: the group of functions is not here`);
    }
  },
};

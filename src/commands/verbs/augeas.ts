/** Verbs over the tree of the guest's configuration files. */
import { Augeas } from '../../augeas/index.ts';
import { compareBytes, encodeName } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import type { Handle, StateKey } from './handle.ts';
import type { Verbs } from './verb.ts';

interface State {
  session: Augeas | undefined;
}

const AUGEAS: StateKey<State> = { name: 'augeas', initial: () => ({ session: undefined }) };

/** The session that aug_init began. */
function sessionOf(handle: Handle): Augeas {
  const { session } = handle.state(AUGEAS);
  if (session === undefined) throw new Posix('EINVAL', {}, "there is no Augeas session yet: call 'aug-init' first");
  return session;
}

export const augeasVerbs: Verbs = {
  aug_init: {
    summary: 'begins a session with the configuration files, ending the one before',
    *run(handle, { root, flags }) {
      const state = handle.state(AUGEAS);
      state.session = undefined;
      state.session = yield* Augeas.open(() => handle.tree, root, flags);
    },
  },
  aug_close: {
    summary: 'ends the session with the configuration files',
    *run(handle) {
      sessionOf(handle);
      handle.state(AUGEAS).session = undefined;
    },
  },
  aug_load: {
    summary: 'loads the configuration files anew',
    *run(handle) {
      yield* sessionOf(handle).load();
    },
  },
  aug_save: {
    summary: 'writes all changed configuration files',
    *run(handle) {
      yield* sessionOf(handle).save();
    },
  },
  aug_get: {
    summary: 'gives the value of a node',
    *run(handle, { augpath }) {
      const value = yield* sessionOf(handle).get(augpath);
      if (value === undefined) throw new Posix('ENOENT', { path: augpath }, 'no matching node');
      if (value === null) throw new Posix('EINVAL', { path: augpath }, 'the node has no value');
      return value;
    },
  },
  aug_label: {
    summary: 'gives the label of a node',
    *run(handle, { augpath }) {
      const label = yield* sessionOf(handle).label(augpath);
      if (label === undefined) throw new Posix('ENOENT', { path: augpath }, 'no matching node');
      return label;
    },
  },
  aug_set: {
    summary: 'sets the value of a node, which is made when it is not there',
    *run(handle, { augpath, val }) {
      yield* sessionOf(handle).set(augpath, val);
    },
  },
  aug_clear: {
    summary: 'takes the value from a node, which is made when it is not there',
    *run(handle, { augpath }) {
      yield* sessionOf(handle).set(augpath, undefined);
    },
  },
  aug_setm: {
    summary: 'sets the values of several nodes',
    *run(handle, { base, sub, val }) {
      return yield* sessionOf(handle).setMany(base, sub, val);
    },
  },
  aug_insert: {
    summary: 'makes a node before or behind another',
    *run(handle, { augpath, label, before }) {
      yield* sessionOf(handle).insert(augpath, label, before);
    },
  },
  aug_rm: {
    summary: 'removes nodes with all below them',
    *run(handle, { augpath }) {
      return yield* sessionOf(handle).remove(augpath);
    },
  },
  aug_mv: {
    summary: 'moves a node with all below it',
    *run(handle, { src, dest }) {
      yield* sessionOf(handle).move(src, dest);
    },
  },
  aug_match: {
    summary: 'lists the nodes that a path expression matches',
    *run(handle, { augpath }) {
      return yield* sessionOf(handle).match(augpath);
    },
  },
  aug_ls: {
    summary: 'lists the nodes below a node, sorted',
    *run(handle, { augpath }) {
      const session = sessionOf(handle);
      if (augpath !== '/' && /[/\]*]$/.test(augpath)) {
        throw new Posix('EINVAL', { path: augpath }, 'a path to list the children of does not end with a slash, a bracket or an asterisk');
      }
      const found = yield* session.match(augpath === '/' ? '/*' : `${augpath}/*`);
      return found.sort((a, b) => compareBytes(encodeName(a), encodeName(b)));
    },
  },
  aug_defvar: {
    summary: 'gives a path expression a name, or takes the name away',
    *run(handle, { name, expr }) {
      return yield* sessionOf(handle).defineVariable(name, expr);
    },
  },
  aug_defnode: {
    summary: 'gives nodes a name; where none is there, one is made',
    *run(handle, { name, expr, val }) {
      const { count, created } = yield* sessionOf(handle).defineNode(name, expr, val);
      return { i: count, b: created ? 1 : 0 };
    },
  },
  aug_transform: {
    summary: 'adds a file to those of a lens, or excludes it',
    *run(handle, { lens, file, remove }) {
      sessionOf(handle).transform(lens, file, remove === true);
    },
  },
};

/** Verbs about the capabilities of files. */
import { decodeName } from '../../bytes/index.ts';
import { Posix } from '../../errors.ts';
import { decodeCapabilities, encodeCapabilities, formatCapabilities, parseCapabilities } from './capability-text.ts';
import type { Verbs } from './verb.ts';

const ATTRIBUTE = 'security.capability';

export const capabilityVerbs: Verbs = {
  cap_get_file: {
    summary: 'gives the capabilities of a file as text; nothing where it has none',
    *run({ tree }, { path }) {
      const found = (yield* tree.xattrs(path)).find(({ name }) => decodeName(name) === ATTRIBUTE);
      if (found === undefined) return '';
      const states = decodeCapabilities(found.value);
      if (states === undefined) throw new Posix('EINVAL', { path }, 'the attribute holds no capabilities');
      return formatCapabilities(states);
    },
  },
  cap_set_file: {
    summary: 'sets the capabilities of a file from text',
    *run({ tree }, { path, cap }) {
      const bytes = encodeCapabilities(parseCapabilities(cap));
      const { kind } = yield* tree.stat(path);
      if (kind !== 'file') throw new Posix('EINVAL', { path }, 'only regular files have capabilities');
      yield* tree.setxattr(path, ATTRIBUTE, bytes);
    },
  },
};

/** Verbs about the machine that serves. There is none here, and the answers say so. */
import { Posix, Unsupported } from '../../errors.ts';
import { API_VERSION, PRODUCT_RELEASE } from './release.ts';
import type { Verb, Verbs } from './verb.ts';

/** The longest wait in seconds that is believed: a year. */
const SLEEP_LIMIT = 365 * 86_400;

/** A program of the guest cannot be run: there is no machine for it. */
function program<A>(summary: string): Verb<A, never> {
  return {
    summary,
    *run() {
      throw new Unsupported(
        'programs',
        'programs of the guest cannot be run: guestless works on its files and has no machine that runs them',
      );
    },
  };
}

/** What libguestfs's own `debug` answers, of which little makes sense without an appliance. */
const DEBUG = ['help', 'env', 'fds', 'progress'];

export const systemVerbs: Verbs = {
  utsname: {
    summary: 'tells what serves: guestless',
    *run({ host }) {
      return {
        uts_sysname: 'Linux',
        uts_release: PRODUCT_RELEASE,
        uts_version: 'guestless, no kernel',
        uts_machine: host.machine ?? 'x86_64',
      };
    },
  },
  version: {
    summary: 'tells which version of the API this is',
    *run() {
      return API_VERSION;
    },
  },
  echo_daemon: {
    summary: 'gives back the words, with spaces between them',
    *run(_, { words }) {
      return words.join(' ');
    },
  },
  sleep: {
    summary: 'waits some seconds',
    *run({ host }, { secs }) {
      if (secs < 0 || secs > SLEEP_LIMIT) throw new Posix('EINVAL', {}, `${secs} seconds: 0 to ${SLEEP_LIMIT}`);
      if (secs > 0 && host.sleep !== undefined) yield* host.sleep(secs * 1000);
    },
  },
  drop_caches: {
    summary: 'forgets what is remembered of the files; there is nothing to do',
    *run(_, { whattodrop }) {
      if (whattodrop < 1 || whattodrop > 7) throw new Posix('EINVAL', {}, `${whattodrop}: a sum of 1, 2 and 4`);
    },
  },
  dmesg: {
    summary: 'gives the messages of the kernel; there is none',
    *run() {
      return '';
    },
  },
  getcon: {
    summary: 'gives the SELinux context of what serves',
    *run() {
      return 'unconfined\n';
    },
  },
  setcon: {
    summary: 'sets the SELinux context of what serves; it has none',
    *run(_, { context }) {
      throw new Posix('EINVAL', {}, `the context '${context}' cannot be set: nothing here runs under SELinux`);
    },
  },
  list_9p: {
    summary: 'lists file systems of the host; there are none',
    *run() {
      return [];
    },
  },
  debug: {
    summary: 'answers questions for developers',
    *run(handle, { subcmd, extraargs }) {
      switch (subcmd) {
        case 'help':
          return `Commands supported: ${DEBUG.join(' ')}`;
        case 'env':
        case 'fds':
          return '';
        case 'progress': {
          const seconds = Number(extraargs[0]);
          if (!(seconds >= 0 && seconds <= SLEEP_LIMIT)) throw new Posix('EINVAL', {}, 'progress takes a number of seconds');
          const steps = Math.max(1, Math.min(Math.ceil(seconds * 2), 1000));
          for (let i = 1; i <= steps; i++) {
            if (handle.host.sleep !== undefined) yield* handle.host.sleep((seconds * 1000) / steps);
            yield* handle.progress(i, steps);
          }
          return 'ok';
        }
        default:
          throw new Posix('EINVAL', {}, `'${subcmd}' is no question for debug here: ${DEBUG.join(', ')}`);
      }
    },
  },
  command: program('runs a program of the guest; not possible'),
  command_lines: program('runs a program of the guest, for its lines; not possible'),
  sh: program("runs a command of the guest's shell; not possible"),
  sh_lines: program("runs a command of the guest's shell, for its lines; not possible"),
};

/** The same calls as real nova over real libguestfs got, with the answers that it gave. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { GuestlessError } from '../../src/errors.ts';
import { LocalFileImage, openGuestSync, VFS } from '../../src/index.ts';
import { e2fsckComplaints } from '../support/oracle.ts';
import { guestImage } from './guests.ts';

interface Step {
  readonly do: readonly [verb: string, ...parameters: unknown[]];
  readonly fails?: string;
  readonly returns?: unknown;
}

const golden = (name: string): readonly Step[] =>
  JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8')) as readonly Step[];

/** Where we answer otherwise on purpose (docs/vfs.md): the call, and our answer. */
const DEVIATIONS: Readonly<Record<string, string>> = {
  // A path of Augeas taken for a name.
  '["set_ownership","a/keep","root/uid/..",null]': 'no such name',
  // The accounts are read anew at each call.
  '["set_ownership","a/keep","newu",null]': 'nothing',
};
/** passwd databases that Augeas does not accept because of another line: [name, whether we know it]. */
const LENIENT: Readonly<Record<string, string>> = {
  'broken line without colons fred': 'nothing',
  'DOM\\u fred': 'nothing',
  'DOM\\u DOM\\u': 'nothing',
  'neg fred': 'nothing',
  'few fred': 'nothing',
  'few few': 'nothing',
  'dup dup': 'nothing',
  // Augeas gives it, and Python cannot hold it.
  'big big': 'no such name',
  'max max': 'nothing',
};

function contentOf(value: unknown): string | Uint8Array {
  if (typeof value === 'string') return value;
  const { b64, x } = value as { b64?: string; x?: number };
  return b64 !== undefined ? Buffer.from(b64, 'base64') : 'x'.repeat(x ?? 0);
}

type Vfs = VFS['sync'];
type Guest = ReturnType<typeof openGuestSync>;

/** What the verbs give, in the words of the golden files. */
function answer(vfs: Vfs, verb: string, a: never, b: never, c: never): unknown {
  switch (verb) {
    case 'make_path':
      return vfs.makePath(a);
    case 'append_file':
      return vfs.appendFile(a, contentOf(b));
    case 'replace_file':
      return vfs.replaceFile(a, contentOf(b));
    case 'read_file':
      return vfs.readFile(a);
    case 'bytes':
      return Buffer.from(vfs.readFileBytes(a)).toString('base64');
    case 'length':
      return vfs.readFile(a).length;
    case 'has_file':
      return vfs.hasFile(a);
    case 'set_permissions':
      return vfs.setPermissions(a, b);
    case 'set_ownership':
      return vfs.setOwnership(a, b, c);
    case 'get_image_fs':
      return vfs.getImageFs();
    default:
      throw new Error(`no verb ${verb}`);
  }
}

/** What the transcript did past the VFS, by our tree. */
function beside(guest: Guest, verb: string, a: never, b: never, c: never): unknown {
  switch (verb) {
    case 'ln_s':
      return guest.symlink(a, b);
    case 'mkdir_mode':
      return guest.mkdir(a, { mode: b });
    case 'chmod':
      return guest.chmod(b, a);
    case 'chown':
      return guest.chown(c, a, b);
    case 'write':
      return guest.writeFile(a, encodeName(b));
    default:
      throw new Error(`no call ${verb}`);
  }
}

/** Mode, links, owner, group, and the size of what is no directory. */
function lstat(guest: Guest, path: string): unknown[] {
  const { mode, links, uid, gid, size, kind } = guest.lstat(path);
  return [mode.toString(8).padStart(6, '0'), links, uid, gid, ...(kind === 'directory' ? [] : [size])];
}

const VERBS = /^(make_path|append_file|replace_file|read_file|bytes|length|has_file|set_permissions|set_ownership|get_image_fs)$/;

/** One transcript: what is done past the VFS happens between two setups, so that each sees the work of the other. */
function replay(image: string, steps: readonly Step[], deviation: (step: Step) => string | undefined): string[] {
  const vfs = VFS.instanceForImage(new LocalFileImage(image, 'raw'), null).sync;
  const differences: string[] = [];
  vfs.setup();
  for (const step of steps) {
    const [verb, a, b, c] = step.do as unknown as [string, never, never, never];
    let ours: unknown;
    try {
      if (VERBS.test(verb)) ours = answer(vfs, verb, a, b, c);
      else {
        vfs.teardown();
        const guest = openGuestSync(image, { format: 'raw', partition: 0, write: true });
        try {
          if (verb === 'lstat') ours = lstat(guest, a);
          else if (verb === 'owner') ours = lstat(guest, a).slice(2, 4);
          else ours = beside(guest, verb, a, b, c);
          guest.commit();
        } finally {
          guest.close();
          vfs.setup();
        }
      }
    } catch (error) {
      if (!(error instanceof GuestlessError)) throw error;
      ours = error.where.path?.startsWith('/etc/') === true && /^\S+ Error obtaining/.test(error.message) ? 'no such name' : error.code;
    }
    const expected = deviation(step) ?? step.fails ?? step.returns ?? 'nothing';
    const given = ours ?? 'nothing';
    if (expected !== 'any' && JSON.stringify(given) !== JSON.stringify(expected))
      differences.push(`${JSON.stringify(step)}: expected ${String(expected)}, got ${String(given)}`);
  }
  vfs.teardown();
  return differences;
}

describe('the verbs answer as nova does over libguestfs', () => {
  test('directories, files, links, permissions and owners', () => {
    const image = guestImage();
    expect(replay(image, golden('verbs'), (step) => DEVIATIONS[JSON.stringify(step.do)])).toEqual([]);
    expect(e2fsckComplaints(image)).toBe('');
  });

  test('names of all kinds of passwd files', () => {
    const image = guestImage();
    let odd = '';
    let ours = false;
    const deviation = (step: Step): string | undefined => {
      const [verb, path, value] = step.do;
      // The name of the last line, or the line before fred's that makes no sense.
      if (verb === 'replace_file' && path === 'etc/passwd') {
        const lines = String(value).split('\n');
        odd = lines.find((line) => line !== '' && !/^(root|fred|[+#-])/.test(line))?.split(':')[0] ?? '';
      }
      // Where we know a name that nova does not, the owner is ours.
      if (verb === 'owner') return ours ? 'any' : undefined;
      if (verb !== 'set_ownership') return undefined;
      const known = LENIENT[`${odd} ${String(value)}`];
      ours = known === 'nothing';
      return known;
    };
    expect(replay(image, golden('accounts'), deviation)).toEqual([]);
    expect(e2fsckComplaints(image)).toBe('');
  });
});

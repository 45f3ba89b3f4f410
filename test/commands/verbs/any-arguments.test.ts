/** Verbs over files take whatever comes: they do it or refuse it, and the file system stays sound. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ArgumentFacts, functionFacts } from '../../../src/commands/api/facts.ts';
import { aclVerbs } from '../../../src/commands/verbs/acl.ts';
import { attributeVerbs } from '../../../src/commands/verbs/attributes.ts';
import { callVerb } from '../../../src/commands/verbs/call.ts';
import { capabilityVerbs } from '../../../src/commands/verbs/capabilities.ts';
import { checksumVerbs } from '../../../src/commands/verbs/checksums.ts';
import { copyVerbs } from '../../../src/commands/verbs/copies.ts';
import { directoryVerbs } from '../../../src/commands/verbs/directories.ts';
import { fileVerbs } from '../../../src/commands/verbs/files.ts';
import { lineVerbs } from '../../../src/commands/verbs/lines.ts';
import { linkVerbs } from '../../../src/commands/verbs/links.ts';
import { listingVerbs } from '../../../src/commands/verbs/listing.ts';
import { mountPointVerbs } from '../../../src/commands/verbs/mount-points.ts';
import { searchVerbs } from '../../../src/commands/verbs/search.ts';
import { streamVerbs } from '../../../src/commands/verbs/streams.ts';
import { usageVerbs } from '../../../src/commands/verbs/usage.ts';
import { xattrVerbs } from '../../../src/commands/verbs/xattrs.ts';
import { GuestlessError } from '../../../src/errors.ts';
import { runSync } from '../../../src/io/drivers.ts';
import '../../support/seed.ts';
import { Guest } from './guest.ts';

const NAMES = [
  ...[aclVerbs, attributeVerbs, capabilityVerbs, checksumVerbs, copyVerbs, directoryVerbs, fileVerbs, lineVerbs, linkVerbs, listingVerbs],
  ...[mountPointVerbs, searchVerbs, streamVerbs, usageVerbs, xattrVerbs],
].flatMap((verbs) => Object.keys(verbs));

const path = fc
  .array(fc.constantFrom('a', 'b', 'd', 'l', '..', '.', '', 'x'.repeat(300), '\udc80', '*', 'fXXXXXX', 'lost+found'), { maxLength: 4 })
  .map((names) => `/${names.join('/')}`);
const word = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    '/a',
    'user.x',
    'md5',
    'crc',
    'access',
    'default',
    'u::rwx,g::r,o::',
    'cap_chown=ep',
    '=p',
    '\\(a\\)*\\1',
    '[',
    '\0',
    '.suffix',
  ),
  fc.string({ maxLength: 12 }),
  path,
);
const number = fc.oneof(
  fc.constantFrom(-(2 ** 31), -1, 0, 1, 7, 0o644, 0o4777, 0o60644, 0o140000, 4096, 2 ** 31 - 1),
  fc.integer({ min: -10, max: 100_000 }),
);
const large = fc.oneof(number, fc.constantFrom(2 ** 31, 2 ** 40, -(2 ** 52), Number.MAX_SAFE_INTEGER));

function argument({ type }: ArgumentFacts): fc.Arbitrary<unknown> {
  switch (type) {
    case 'Int':
      return number;
    case 'Int64':
      return large;
    case 'Bool':
      return fc.boolean();
    case 'BufferIn':
      return fc.uint8Array({ maxLength: 5000 });
    case 'FileIn':
      return fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 3 }).map((pieces) => {
        const left = [...pieces];
        // biome-ignore lint/correctness/useYield: the pieces are at hand
        return function* () {
          return left.shift();
        };
      });
    case 'FileOut':
      return fc.constant(function* () {});
    case 'StringList':
    case 'StringList<Filename>':
    case 'StringList<Pathname>':
      return fc.array(fc.constantFrom('a', 'd', 'none', 'l', '..'), { maxLength: 4 });
    case 'Pathname':
      return path;
    case 'Dev_or_Path':
      return fc.oneof({ weight: 20, arbitrary: path }, { weight: 1, arbitrary: fc.constant('/dev/none') });
    case 'Mountable':
      return fc.constantFrom('/dev/sda', '/dev/sda1');
    default:
      return word;
  }
}

const call = fc.constantFrom(...NAMES).chain((name) => {
  const facts = functionFacts(name);
  if (facts === undefined) throw new Error(name);
  const given = Object.fromEntries(facts.arguments.map((one) => [one.name, argument(one)]));
  const optional = Object.fromEntries(facts.optional.map((one) => [one.name, fc.option(argument(one), { nil: undefined })]));
  return fc.record({ facts: fc.constant(facts), args: fc.record({ ...given, ...optional }) });
});

it('whatever the arguments are', () => {
  fc.assert(
    fc.property(fc.array(call, { maxLength: 40 }), (calls) => {
      const guest = Guest.empty({ size: '4M' });
      guest.call('mkdir', { path: '/d' });
      guest.write('/a', 'one\ntwo\n');
      guest.call('ln_s', { target: 'd', linkname: '/l' });
      for (const { facts, args } of calls) {
        try {
          runSync(callVerb(guest.handle, facts, args));
        } catch (error) {
          expect(error, `${facts.name} ${JSON.stringify(args)}`).toBeInstanceOf(GuestlessError);
        }
      }
      guest.finish();
    }),
    { numRuns: 40 },
  );
});

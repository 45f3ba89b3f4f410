/** Whatever a file holds, it is described, in bounded time. */
import '../support/seed.ts';
import * as fs from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GuestlessError } from '../../src/errors.ts';
import { architectureOf, describeBytes } from './workbench.ts';

const MAGICS = [
  '\x7fELF\x02\x01\x01',
  'MZ',
  '\x1f\x8b\x08',
  'BZh9',
  '\xfd7zXZ\0',
  '070701',
  'TZif2',
  '\xde\x12\x04\x95',
  'QFI\xfb',
  'SQLite format 3\0',
  '#!/',
  '{"',
  '<?xml',
  '\x89PNG\r\n\x1a\n',
  '\xff\xd8\xff\xe0',
  '!<arch>\ndebian-binary',
];
const anyFile = fc
  .tuple(fc.constantFrom('', ...MAGICS), fc.uint8Array({ maxLength: 4096 }))
  .map(([magic, rest]) => Uint8Array.from([...Array.from(magic, (character) => character.charCodeAt(0)), ...rest]));

test('magic numbers before noise', () => {
  fc.assert(
    fc.property(anyFile, (bytes) => {
      expect(describeBytes(bytes)).toMatch(/\S/);
      try {
        architectureOf(bytes);
      } catch (error) {
        if (!(error instanceof GuestlessError)) throw error;
      }
    }),
    { numRuns: 400 },
  );
});

test('a program with bytes changed', () => {
  const program = new Uint8Array(fs.readFileSync('/bin/true'));
  const changes = fc.array(fc.tuple(fc.nat(512), fc.nat(255)), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(changes, (pairs) => {
      const damaged = program.slice();
      for (const [at, value] of pairs) damaged[at] = value;
      expect(describeBytes(damaged)).toMatch(/\S/);
    }),
    { numRuns: 100 },
  );
});

test('texts made to keep the patterns busy end in time', () => {
  const hostile = [
    'class A\n',
    'try:\n  except\n',
    'def a(',
    'package x ',
    '--- \n',
    '<!doctype ',
    '   \n',
    '"',
    '[',
    '{"a":',
    'import from ',
    '#ifdef\n',
    'extern\t',
    '\t',
    '=BEGIN ',
  ];
  for (const piece of hostile) {
    const before = performance.now();
    describeBytes(new TextEncoder().encode(piece.repeat(Math.ceil(70_000 / piece.length))));
    expect(performance.now() - before, JSON.stringify(piece)).toBeLessThan(5000);
  }
});

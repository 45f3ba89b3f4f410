/** The grep family against grep(1). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineMatcher } from '../../../src/commands/verbs/regular-expression/index.ts';
import { Posix } from '../../../src/errors.ts';
import { run } from '../../support/oracle.ts';
import '../../support/seed.ts';
import { Guest, hostFile } from './guest.ts';

const LINES = ['abc', 'ABC', 'aabbcc', 'a.c', '', 'foo(bar)', 'x+y', 'a{2}', 'b|c', 'ab ab', 'a\\b', '[x]', '*a', '^a$', '1_a-Z', '\t b'];
const TEXT = `${LINES.join('\n')}\n`;

/** The lines that grep(1) finds; undefined where it refuses the expression. */
function realGrep(file: string, pattern: string, flags: readonly string[]): string[] | undefined {
  const { status, stdout } = run('grep', [...flags, '-e', pattern, file]);
  if (status > 1) return undefined;
  return stdout.toString('latin1').split('\n').slice(0, -1);
}

function ourGrep(pattern: string, options: { extended?: boolean; insensitive?: boolean; fixed?: boolean }): string[] | undefined {
  try {
    const matches = lineMatcher(Buffer.from(pattern, 'latin1'), options);
    return LINES.filter((line) => matches(Buffer.from(line, 'latin1')));
  } catch (error) {
    if (error instanceof Posix && error.code === 'EINVAL') return undefined;
    throw error;
  }
}

const atom = fc.constantFrom(
  'a',
  'b',
  'c',
  'A',
  '.',
  '\\.',
  '[abc]',
  '[^a]',
  '[[:digit:]]',
  '[[:alpha:]_]',
  '[]x]',
  '[a-c]',
  '\\w',
  '\\W',
  'x',
  '1',
  ' ',
);
const anchor = fc.constantFrom('^', '$', '\\b', '\\<', '\\>', '\\B');
const basic = fc.constantFrom('', '', '*', '\\+', '\\?', '\\{2\\}', '\\{1,\\}', '\\{0,2\\}');
const extended = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,}', '{,2}', '**', '+?');

/** Expressions whose meaning POSIX gives: what grep(1) does with others is tried by example. */
function expressions(operators: fc.Arbitrary<string>, open: string, close: string, or: string): fc.Arbitrary<string> {
  const { whole } = fc.letrec<{ whole: string; part: string }>((tie) => ({
    part: fc.oneof(
      { maxDepth: 3 },
      { weight: 5, arbitrary: fc.tuple(atom, operators).map(([one, operator]) => one + operator) },
      { weight: 1, arbitrary: fc.tuple(anchor, atom).map(([at, one]) => at + one) },
      { weight: 1, arbitrary: fc.tuple(atom, anchor).map(([one, at]) => one + at) },
      { weight: 1, arbitrary: fc.tuple(tie('whole'), operators).map(([inner, operator]) => open + inner + close + operator) },
      { weight: 1, arbitrary: fc.tuple(atom, tie('whole')).map(([one, other]) => one + or + other) },
    ),
    whole: fc.array(tie('part'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
  }));
  return whole;
}

describe('regular expressions find the lines that grep finds', () => {
  const file = hostFile(TEXT);

  it.each([
    ['basic', {}, expressions(basic, '\\(', '\\)', '\\|'), []],
    ['extended', { extended: true }, expressions(extended, '(', ')', '|'), ['-E']],
    ['in either case', { insensitive: true }, expressions(basic, '\\(', '\\)', '\\|'), ['-i']],
  ] as const)('%s', (_, options, arbitrary, flags) => {
    fc.assert(
      fc.property(arbitrary, (pattern) => {
        expect(ourGrep(pattern, options), pattern).toEqual(realGrep(file, pattern, flags));
      }),
      { numRuns: 80 },
    );
  });

  it.each([
    '\\(a\\)\\1',
    '\\(a*\\)b\\1c',
    '\\(.\\)\\(.\\) \\1\\2',
    '^\\(ab\\) \\1$',
    '\\1',
    '\\(a\\1\\)',
    'a\\{1',
    'a\\{2,1\\}',
    'a\\{1a\\}',
    '[',
    '[a',
    '[z-a]',
    '[[:nope:]]',
    '[:space:]',
    '[[.a.]]',
    '[[=a=]b]',
    '[[.-.]-a]',
    '\\',
    '\\(',
    '\\)',
    '*a',
    '^*a',
    '\\(*a\\)',
    'a\nx',
    'a\\|*',
    '[a\\]',
    '[^]x]',
    'x$y',
    'a^b',
    '\\(^a\\)',
    '\\(c$\\)',
  ])('basic %j', (pattern) => {
    expect(ourGrep(pattern, {})).toEqual(realGrep(file, pattern, []));
  });

  it.each([
    '(a)\\1',
    '(a|b)\\1',
    '((a)(b))\\3',
    '*a',
    '+a',
    '{1}a',
    '()',
    '(',
    ')',
    'a||b',
    '(|a)',
    'a{1',
    'a{1,2}{2}',
    'a{99999}',
    '^*',
    '(^a|c$)',
    'a{,2}',
    '(*a)',
    'x\\{2',
  ])('extended %j', (pattern) => {
    expect(ourGrep(pattern, { extended: true })).toEqual(realGrep(file, pattern, ['-E']));
  });

  it.each(['a.c', 'FOO(', '', 'a\nx', '*'])('fixed %j', (pattern) => {
    for (const insensitive of [false, true]) {
      expect(ourGrep(pattern, { fixed: true, insensitive })).toEqual(realGrep(file, pattern, insensitive ? ['-F', '-i'] : ['-F']));
    }
  });
});

describe('hostile expressions', () => {
  it('what makes others try for ever takes no time', () => {
    const matches = lineMatcher(Buffer.from('(a*)*(a*)*(a|a)*$b'), { extended: true });
    const text = Buffer.alloc(200_000, 'a');
    const before = performance.now();
    expect(matches(text)).toBe(false);
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it('with back-references the tries are counted', () => {
    const matches = lineMatcher(Buffer.from('(a*)(a*)(a*)(a*)\\1\\2\\3\\4b'), { extended: true });
    expect(() => matches(Buffer.alloc(3000, 'a'))).toThrow(/takes too long/);
  });

  it('deep nesting, long repetitions and long texts are refused', () => {
    for (const pattern of ['('.repeat(1000) + ')'.repeat(1000), '((a{1000}){1000}){1000}', 'a'.repeat(70_000), `a${'*'.repeat(1000)}`]) {
      expect(() => lineMatcher(Buffer.from(pattern), { extended: true })).toThrow(Posix);
    }
  });

  it('random bytes are an expression or are not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), fc.boolean(), fc.uint8Array({ maxLength: 40 }), (pattern, extended, text) => {
        try {
          lineMatcher(pattern, { extended })(text);
        } catch (error) {
          expect(error).toBeInstanceOf(Posix);
        }
      }),
    );
  });
});

describe('the verbs', () => {
  it('look into files, compressed ones too, and take what holds NUL bytes for binary', () => {
    const guest = Guest.empty();
    guest.write('/g', 'abc\nABC\nabc123\nlast');
    const { stdout } = run('gzip', ['-c'], Buffer.from('abc\nABC\nabc123\n'));
    guest.write('/g.gz', stdout);
    guest.write('/bin', Buffer.from('abc\0\nabc\n'));
    expect(guest.call('grep', { regex: 'a.c', path: '/g' })).toEqual(['abc', 'abc123']);
    expect(guest.call('egrepi', { regex: 'ABC$|LAST', path: '/g' })).toEqual(['abc', 'ABC', 'last']);
    expect(guest.call('fgrep', { pattern: 'c1', path: '/g' })).toEqual(['abc123']);
    expect(guest.call('grep', { regex: 'B', path: '/g', fixed: true, insensitive: true })).toEqual(['abc', 'ABC', 'abc123']);
    for (const path of ['/g', '/g.gz']) expect(guest.call('zgrepi', { regex: 'abc$', path })).toEqual(['abc', 'ABC']);
    expect(guest.call('grep', { regex: 'abc', path: '/bin' })).toEqual([]);
    expect(guest.errno('grep', { regex: 'a', path: '/g', extended: true, fixed: true })).toBe('EINVAL');
    expect(guest.errno('grep', { regex: '\\(', path: '/g' })).toBe('EINVAL');
    expect(guest.errno('grep', { regex: 'a', path: '/none' })).toBe('ENOENT');
    expect(guest.errno('grep', { regex: 'a', path: '/' })).toBe('EISDIR');
  });

  it('a broken compressed file is an error', () => {
    const guest = Guest.empty();
    const { stdout } = run('gzip', ['-c'], Buffer.from('abc\n'.repeat(1000)));
    guest.write('/cut.gz', stdout.subarray(0, 20));
    expect(guest.errno('zgrep', { regex: 'abc', path: '/cut.gz' })).toBe('CORRUPT');
  });
});

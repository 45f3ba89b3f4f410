import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeName } from '../../src/bytes/index.ts';
import { decodePrompt, parseLine, parseNumber, parseOptions, parseStringList, ShellError } from '../../src/shell/index.ts';

/** Only errors of the shell's own come out, whatever goes in. */
function orError<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ShellError) return undefined;
    throw error;
  }
}

const text = fc.string({ unit: fc.constantFrom(...`ab \t\\"'|<>!-~#:=/xX017\u00e9\n`) });

/** A word as a script has to write it. */
function quoted(word: string): string {
  const escaped = [...encodeName(word)].map((byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  );
  return `"${escaped.join('')}"`;
}

function listed(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

describe('lines', () => {
  it('give any words back that were quoted', () => {
    const words = fc.array(
      fc.string({ unit: 'binary' }).filter((word) => !/[\0\ud800-\udfff]/.test(word)),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(words, fc.constantFrom(' ', '\t', '  '), (given, blank) => {
        const line = parseLine(['echo', ...given.map(quoted)].join(blank));
        expect(line).toMatchObject({ kind: 'command', name: 'echo', words: given.map((one) => ({ text: one, tilde: false })) });
      }),
      { numRuns: 300 },
    );
  });

  it('never fail in another way than a shell does', () => {
    fc.assert(
      fc.property(text, (line) => {
        orError(() => parseLine(line));
      }),
      { numRuns: 2000 },
    );
  });

  it('know forgiveness, pipes, and commands of the host', () => {
    expect(parseLine(' - cat /x  |  wc -l')).toEqual({
      kind: 'command',
      name: 'cat',
      words: [{ text: '/x', tilde: false }],
      pipe: '  wc -l',
      forgiving: true,
    });
    expect(parseLine('!ls | wc')).toEqual({ kind: 'host', command: 'ls | wc', forgiving: false });
    expect(parseLine('-<! echo x')).toEqual({ kind: 'inline', command: ' echo x', forgiving: true });
    expect(parseLine('  # echo')).toEqual({ kind: 'empty' });
    expect(() => parseLine(`echo ${'x '.repeat(65)}`)).toThrow('more than 64');
  });
});

describe('lists', () => {
  it('give any words back that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(parseStringList(words.map(listed).join(' '))).toEqual(words);
      }),
      { numRuns: 300 },
    );
  });

  it('never fail in another way than a shell does', () => {
    fc.assert(
      fc.property(text, (list) => {
        orError(() => parseStringList(list));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('numbers', () => {
  it('are read in each base, with each suffix', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n }), fc.nat({ max: 7 }), (value, power) => {
        const suffix = 'KMGTPEZY'.charAt(power);
        expect(parseNumber(`${value}${suffix}`)).toBe(value * 1024n ** BigInt(power + 1));
        expect(parseNumber(`${value}${suffix}iB`)).toBe(value * 1024n ** BigInt(power + 1));
        expect(parseNumber(`-${value}${suffix}B`)).toBe(-value * 1000n ** BigInt(power + 1));
        expect(parseNumber(`0x${value.toString(16)}`)).toBe(value);
        expect(parseNumber(`0${value.toString(8)}`)).toBe(value);
      }),
    );
  });

  it('are nothing else', () => {
    for (const no of ['', ' ', '-', '0x', '08', '1.5', '1 K', '1Kb', '1KiBB', '--1', '1e3', 'one'])
      expect(parseNumber(no), no).toBeUndefined();
    fc.assert(
      fc.property(text, (any) => {
        parseNumber(any);
      }),
    );
  });
});

describe('options', () => {
  it('stand anywhere, in any spelling of getopt_long', () => {
    const asked = parseOptions(['cat', '-ra', 'x.img', '/a', '--moun=/dev/sda1:/:noatime:ext4', '--', '-m', ':', 'ls']);
    expect(asked).toMatchObject({
      kind: 'run',
      options: {
        drives: [{ kind: 'image', name: 'x.img' }],
        mounts: [{ device: '/dev/sda1', at: '/', options: 'noatime', type: 'ext4' }],
        readOnly: true,
        words: ['cat', '/a', '-m', ':', 'ls'],
      },
    });
  });

  it('take the older form of -i', () => {
    expect(parseOptions(['-i', 'a.img', 'guest.xml'])).toMatchObject({
      options: {
        drives: [
          { kind: 'image', name: 'a.img' },
          { kind: 'domain', name: 'guest.xml' },
        ],
        words: [],
      },
    });
  });

  it('never fail in another way than a shell does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(text, fc.constantFrom('-a', '--format', '--format=raw', '-i', '-N', '--remote', '-h', '-m', '--')), {
          maxLength: 6,
        }),
        (words) => {
          orError(() => parseOptions(words));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('prompts', () => {
  it('decode escapes, and know what takes room', () => {
    expect(decodePrompt('\\[\\e[1;32m\\]><fs>\\[\\e[0;31m\\] ')).toEqual({ text: '\u001b[1;32m><fs>\u001b[0;31m ', width: 6 });
    expect(decodePrompt('\\a\\n\\r\\\\\\101\\x42\\xc3\\xa9')).toMatchObject({ text: '\u0007\n\r\\AB\u00e9' });
  });
});

/** What the real Augeas made of many files (fixtures/augeas/make.py), and what ours makes of them. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Case, type CaseOutcome, runCase } from './run-case.ts';

type Golden = Readonly<Record<'real' | 'texts' | 'edits' | 'expressions' | 'sessions', readonly (Case & CaseOutcome)[]>>;

const golden = JSON.parse(
  gunzipSync(readFileSync(new URL('../../fixtures/augeas/golden.json.gz', import.meta.url))).toString('utf8'),
) as Golden;

/** As make.py has it: an error is an error, and times and places in Augeas's own files are left out. */
function comparable(result: unknown): unknown {
  if (typeof result === 'object' && result !== null && 'error' in result) return 'error';
  if (Array.isArray(result) && Array.isArray(result[0])) {
    return (result as [string, unknown][]).filter(([path]) => !/\/(mtime|lens|lens\/info)$/.test(path));
  }
  return result;
}

/** What is different, each with the case; nothing when all is well. */
function differences(
  cases: readonly (Case & CaseOutcome)[],
  skip: (case_: Case & CaseOutcome) => string | undefined = () => undefined,
): unknown[] {
  const found: unknown[] = [];
  for (const case_ of cases) {
    if (skip(case_) !== undefined) continue;
    const ours = runCase(case_);
    case_.commands.forEach((command, i) => {
      const got = comparable(ours.results[i]);
      if (JSON.stringify(got) !== JSON.stringify(case_.results[i]))
        found.push({ lens: case_.lens, text: case_.text, command, got, wanted: case_.results[i] });
    });
    const form = addsBlankLines(case_) ? (files: unknown) => JSON.stringify(files).replace(/\\[nt]| /g, '') : JSON.stringify;
    if (form(ours.files) !== form(case_.files)) found.push({ ...case_, got: ours.files, wanted: case_.files });
  }
  return found;
}

/** What is known to be different, and why. */
function deviation({ lens, text, commands }: Case): string | undefined {
  if (lens === 'Sysctl' && /^a\.b$/m.test(text ?? '') && commands.length > 2) return 'Augeas cannot write a key without a value back';
  if (lens === 'Sudoers' && commands.length > 2 && /^Defaults.*!(umask|lecture|env_check)|\\\\/m.test(text ?? ''))
    return 'Augeas cannot write a parameter that is turned off, or the user of a domain, back';
  return undefined;
}

/** Behind commands that are joined by an operator Augeas puts another line end whenever it writes the file; ours leaves them as they are. */
function addsBlankLines({ lens, text, commands }: Case): boolean {
  return lens === 'Shellvars' && commands.length > 2 && /[|&]/.test(text ?? '');
}

describe('given the configuration files of a Debian', () => {
  test('when they are read, then the trees are those of Augeas', () => {
    expect(golden.real.length).toBeGreaterThan(90);
    expect(differences(golden.real, deviation)).toEqual([]);
  });
});

describe('given usual, odd and malformed texts', () => {
  const lenses = [...new Set(golden.texts.map((case_) => case_.lens ?? ''))];
  test.each(lenses)('%s: then the trees, and what does not parse, are those of Augeas', (lens) => {
    expect(
      differences(
        golden.texts.filter((case_) => case_.lens === lens),
        deviation,
      ),
    ).toEqual([]);
  });
});

describe('given edits', () => {
  test('when they are saved, then the files are byte for byte what Augeas writes', () => {
    expect(golden.edits.length).toBeGreaterThan(300);
    expect(differences(golden.edits, deviation)).toEqual([]);
  });
});

test('given path expressions, then they match what they match in Augeas', () => {
  expect(differences(golden.expressions)).toEqual([]);
});

test('given sessions that load, save and define, then results and files are those of Augeas', () => {
  expect(differences(golden.sessions)).toEqual([]);
});

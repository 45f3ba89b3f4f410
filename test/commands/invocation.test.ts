import { describe, expect, test } from 'vitest';
import {
  COMMANDS,
  type Command,
  commandHelp,
  escapeControls,
  findEntry,
  isGroup,
  nearest,
  optionsOf,
  parse,
  tableHelp,
} from '../../src/commands/index.ts';
import { Refused } from '../../src/errors.ts';

function run(line: string) {
  const request = parse(COMMANDS, line.split(' '));
  if (request.kind !== 'run') throw new Error(`not a call: ${request.kind}`);
  return request.invocation;
}

/** All commands with the words that name them. */
const ALL: readonly [string, Command][] = COMMANDS.flatMap((entry): [string, Command][] =>
  isGroup(entry) ? entry.commands.map((command): [string, Command] => [`${entry.name} ${command.name}`, command]) : [[entry.name, entry]],
);

describe('understanding a command line', () => {
  test('options stand anywhere after the verb, before and after arguments', () => {
    for (const line of [
      'ls -lR --partition 2 a.img /etc',
      'ls a.img -l /etc -R --partition=2',
      'ls a.img /etc --partition 2 -l --recursive',
    ]) {
      const call = run(line);
      expect([call.argument('IMAGE'), call.optional('PATH')]).toEqual(['a.img', '/etc']);
      expect([call.has('--long'), call.has('--recursive'), call.value('--partition')]).toEqual([true, true, '2']);
    }
  });

  test('a negative number is the value of its option', () => {
    expect(run('cat --partition -1 a.img /x').value('--partition')).toBe('-1');
    expect(run('cat --partition=-1 a.img /x').value('--partition')).toBe('-1');
  });

  test('-m repeats, with its value attached or not', () => {
    expect(run('ls -m/dev/sda1 -m /dev/sda2:/boot --mount=/dev/sdb a.img').values('--mount')).toEqual([
      '/dev/sda1',
      '/dev/sda2:/boot',
      '/dev/sdb',
    ]);
  });

  test('after -- everything is an argument, and - is one', () => {
    expect(run('cat a.img -- -l --json').arguments('PATH')).toEqual(['-l', '--json']);
    expect(run('tar-out a.img / -').optional('FILE')).toBe('-');
  });

  test('what repeats in the middle leaves the last for the folder', () => {
    const call = run('copy-out a.img /a /b /c out');
    expect([call.arguments('PATH'), call.argument('DIR')]).toEqual([['/a', '/b', '/c'], 'out']);
  });

  test('-h is the own option of df and help elsewhere', () => {
    expect(run('df -h a.img').has('--human-readable')).toBe(true);
    expect(parse(COMMANDS, ['ls', '-h']).kind).toBe('help');
    expect(parse(COMMANDS, ['df', '--help']).kind).toBe('help');
    expect(parse(COMMANDS, ['help', 'ls'])).toMatchObject({ kind: 'help', of: { name: 'ls' } });
    expect(parse(COMMANDS, ['--version']).kind).toBe('version');
  });

  test.each([
    ['', 'no command given'],
    ['chekcsum a', "did you mean 'checksum'?"],
    ['xyzzy', "unknown command 'xyzzy'"],
    ['--json ls', 'options stand after the command'],
    ['ls', 'IMAGE is missing'],
    ['copy-out a.img /x', 'DIR is missing'],
    ['ls a.img / extra', "too many arguments: 'extra'"],
    ['ls --patition 1 a.img', 'did you mean --partition?'],
    ['ls -Z a.img', 'unknown option -Z'],
    ['ls a.img --partition', '--partition wants N'],
    ['ls --long=yes a.img', '--long takes no value'],
    ['ls --checksums=maybe a.img', '--checksums is one of verify, ignore'],
    ['img', 'img: no command given'],
    ['img nonsense', "unknown command 'img nonsense'"],
  ])('wrong use: %s', (line, message) => {
    const words = line === '' ? [] : line.split(' ');
    expect(() => parse(COMMANDS, words)).toThrow(Refused);
    expect(() => parse(COMMANDS, words)).toThrow(message);
  });

  test('a word far from everything gets no guess', () => {
    expect(nearest('xyzzy', ['ls', 'cat'])).toBeUndefined();
    expect(nearest('sl', ['ls', 'cat'])).toBe('ls');
  });
});

describe('the table', () => {
  test('names, aliases and spellings are unique', () => {
    const names = COMMANDS.flatMap((entry) => [entry.name, ...(isGroup(entry) ? [] : (entry.aliases ?? []))]);
    expect(new Set(names).size).toBe(names.length);
    for (const [, command] of ALL) {
      const spellings = optionsOf(command).flatMap((option) => option.names);
      expect(new Set(spellings).size, command.name).toBe(spellings.length);
    }
  });

  test.each(ALL)('%s: the code loads, the help names every option, the examples parse', async (name, command) => {
    expect(typeof (await command.load())).toBe('function');
    const help = commandHelp(command);
    for (const option of optionsOf(command)) for (const spelling of option.names) expect(help).toContain(spelling);
    expect(command.examples.length).toBeGreaterThan(0);
    for (const example of command.examples) {
      expect(`${example} `.startsWith(`${name} `), example).toBe(true);
      const words = (example.split(' | ')[0] ?? '').match(/'[^']*'|\S+/g)?.map((word) => word.replace(/^'(.*)'$/, '$1')) ?? [];
      expect(parse(COMMANDS, words).kind, example).toBe('run');
    }
  });

  test('help fits a terminal of 120 columns', () => {
    for (const text of [tableHelp(COMMANDS), ...ALL.map(([, command]) => commandHelp(command))]) {
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(120);
    }
  });

  test('an alias finds its command', () => {
    expect(findEntry(COMMANDS, 'fs')?.name).toBe('filesystems');
  });
});

describe('names on a terminal', () => {
  test.each([
    ['plain.txt', 'plain.txt'],
    ['naïve ☃', 'naïve ☃'],
    ['a\nb\u001b[31m', 'a\\012b\\033[31m'],
    ['back\\slash', 'back\\\\slash'],
    ['c1 \u009b', 'c1 \\302\\233'],
    ['\u202eright to left', '\\342\\200\\256right to left'],
    ['\udcff\udcfe', '\\377\\376'],
  ])('%j is shown as %s', (name, shown) => {
    expect(escapeControls(name)).toBe(shown);
  });
});

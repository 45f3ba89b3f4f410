/** Sessions: what is read and when, what is written and how, and what hostile content cannot do. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AUG_SAVE_BACKUP, AUG_SAVE_NEWFILE, Augeas, get, LENSES, put, TreeNode } from '../../src/augeas/index.ts';
import { GuestlessError } from '../../src/errors.ts';
import { EditableTree } from '../../src/guest/index.ts';
import { runSync } from '../../src/io/index.ts';
import { MemoryFileSystem } from '../../src/testing/index.ts';

/** A tree that notes which files are read. */
class WatchedTree extends EditableTree {
  readonly reads: string[] = [];
  override readFile(...parameters: Parameters<EditableTree['readFile']>): ReturnType<EditableTree['readFile']> {
    this.reads.push(String(parameters[0]));
    return super.readFile(...parameters);
  }
}

const PASSWD = 'root:x:0:0:root:/root:/bin/bash\nnova:x:107:113::/var/lib/nova:/bin/false\n';

function guest(files: Readonly<Record<string, string | Uint8Array>>): WatchedTree {
  const tree = WatchedTree.of(new MemoryFileSystem());
  for (const [path, text] of Object.entries(files)) {
    tree.sync.mkdirp(path.replace(/\/[^/]*$/, ''));
    tree.sync.writeFile(path, text);
  }
  tree.reads.length = 0;
  return tree;
}

function open(tree: EditableTree, flags = 0): Augeas {
  return runSync(Augeas.open(() => tree, '/', flags));
}

describe('given a guest with many configuration files', () => {
  const files: Record<string, string> = { '/etc/passwd': PASSWD, '/etc/group': 'nova:x:113:\n', '/etc/hosts': '127.0.0.1 localhost\n' };
  for (let i = 0; i < 200; i++) files[`/etc/default/service${i}`] = `N=${i}\n`;

  test('when one user is looked up, then one file is read', () => {
    const tree = guest(files);
    const session = open(tree);
    expect(tree.reads).toEqual([]);
    expect(runSync(session.get('/files/etc/passwd/nova/uid'))).toBe('107');
    expect(runSync(session.get('/files/etc/group/nova/gid'))).toBe('113');
    expect(runSync(session.match("/files/etc/hosts/*[canonical = 'localhost']/ipaddr"))).toEqual(['/files/etc/hosts/1/ipaddr']);
    expect(tree.reads).toEqual(['/etc/passwd', '/etc/group', '/etc/hosts']);
  });

  test('when an expression can reach all, then all are read, and the order is that of the lenses whatever was read first', () => {
    const [early, late] = [guest(files), guest(files)].map((tree) => open(tree)) as [Augeas, Augeas];
    runSync(early.get('/files/etc/passwd/nova/uid'));
    const found = runSync(early.match('/files/etc/*'));
    expect(found).toEqual(runSync(late.match('/files/etc/*')));
    expect(found).toHaveLength(4);
    expect(runSync(late.match("//*[. = '199']"))).toEqual(['/files/etc/default/service199/N']);
  });

  test('when an expression climbs out of a predicate, then what it looks at is read', () => {
    const session = open(guest(files));
    expect(runSync(session.match('/files/etc/passwd/nova[gid = ../../group/nova/gid]'))).toEqual(['/files/etc/passwd/nova']);
    expect(runSync(session.match('/files/etc/passwd/nova[gid = /files/etc/group/nova/gid]'))).toEqual(['/files/etc/passwd/nova']);
  });
});

test('given a file with a name that paths have to escape, then /augeas/files tells the name as it is', () => {
  const session = open(guest({ '/etc/default/a b\\x2d': 'A=1\n' }));
  expect(runSync(session.match("/files/etc/default/*[A = '1']"))).toEqual(['/files/etc/default/a\\ b\\\\x2d']);
  expect(runSync(session.get('/augeas/files/etc/default/*/path'))).toBe('/files/etc/default/a b\\x2d');
});

describe('given a file that is saved', () => {
  const edit = (tree: EditableTree, flags: number): void => {
    const session = open(tree, flags);
    runSync(session.set('/files/etc/passwd/nova/shell', '/bin/sh'));
    runSync(session.save());
  };
  const changed = PASSWD.replace('/bin/false', '/bin/sh');

  test('then it keeps its mode and owner, and other files are not written', () => {
    const tree = guest({ '/etc/passwd': PASSWD, '/etc/hosts': '1.1.1.1  a\n' });
    tree.sync.chmod('/etc/passwd', 0o604);
    tree.sync.chown('/etc/passwd', 7, 8);
    const before = tree.sync.stat('/etc/hosts').mtime;
    edit(tree, 0);
    expect(tree.sync.readText('/etc/passwd')).toBe(changed);
    const { mode, uid, gid } = tree.sync.stat('/etc/passwd');
    expect([mode & 0o7777, uid, gid]).toEqual([0o604, 7, 8]);
    expect(tree.sync.stat('/etc/hosts').mtime).toEqual(before);
  });

  test('with a backup, then the former text lies beside it', () => {
    const tree = guest({ '/etc/passwd': PASSWD });
    edit(tree, AUG_SAVE_BACKUP);
    expect(tree.sync.readText('/etc/passwd')).toBe(changed);
    expect(tree.sync.readText('/etc/passwd.augsave')).toBe(PASSWD);
  });

  test('as a new file, then the old one stays', () => {
    const tree = guest({ '/etc/passwd': PASSWD });
    tree.sync.chmod('/etc/passwd', 0o600);
    edit(tree, AUG_SAVE_NEWFILE);
    expect(tree.sync.readText('/etc/passwd')).toBe(PASSWD);
    expect(tree.sync.readText('/etc/passwd.augnew')).toBe(changed);
    expect(tree.sync.stat('/etc/passwd.augnew').mode & 0o777).toBe(0o600);
  });

  test('which is a symbolic link, then the target is written and the link stays', () => {
    const tree = guest({ '/run/real': 'nameserver 1.1.1.1\n' });
    tree.sync.mkdir('/etc');
    tree.sync.symlink('../run/real', '/etc/resolv.conf');
    const session = open(tree);
    runSync(session.set('/files/etc/resolv.conf/nameserver', '9.9.9.9'));
    runSync(session.save());
    expect(tree.sync.readText('/run/real')).toBe('nameserver 9.9.9.9\n');
    expect(tree.sync.lstat('/etc/resolv.conf').kind).toBe('symlink');
  });

  test('and whose nodes do not fit, then it stays as it was and /augeas//error says where', () => {
    const tree = guest({ '/etc/passwd': PASSWD });
    const session = open(tree);
    runSync(session.set('/files/etc/passwd/nova/colour', 'red'));
    expect(() => runSync(session.save())).toThrow(/could not be written/);
    expect(tree.sync.readText('/etc/passwd')).toBe(PASSWD);
    expect(runSync(session.get('/augeas/files/etc/passwd/error'))).toBe('put_failed');
    expect(runSync(session.get('/augeas/files/etc/passwd/error/path'))).toBe('/files/etc/passwd/nova');
  });

  test('with bytes that are no UTF-8, then they come back', () => {
    const bytes = Uint8Array.from(Buffer.from('a:x:1:1:J\xf6rg:/:/bin/sh\n', 'latin1'));
    const tree = guest({ '/etc/passwd': bytes });
    const session = open(tree);
    expect(runSync(session.get('/files/etc/passwd/a/name'))).toBe('J\udcf6rg');
    runSync(session.set('/files/etc/passwd/a/home', '/h\u00f6me'));
    runSync(session.save());
    expect(Buffer.from(tree.sync.readFile('/etc/passwd')).toString('latin1')).toBe('a:x:1:1:J\xf6rg:/h\xc3\xb6me:/bin/sh\n');
  });
});

/** Texts that look a little like configuration. */
const texts = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          ':',
          '#',
          ' ',
          '\t',
          '\n',
          '=',
          '"',
          "'",
          '[',
          ']',
          '\\',
          ',',
          'a',
          'Match',
          'Host',
          '+',
          '-',
          '(',
          ')',
          ';',
          '/',
          '1',
          'if a; then\n',
          'fi\n',
          ' | ',
          ' && b\n',
          'Defaults ',
          'ALL',
        ),
      },
      fc.string({ maxLength: 6 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join('').replace(/[^\0-\xff]/g, '?'));

describe('given any text', () => {
  /** As Augeas does, blank lines at the start of a file of shell variables are lost when it is written. */
  const kept = (name: string, text: string): string => (name === 'Shellvars' ? text.replace(/^([ \t]*#?[ \t]*\n)*/, '') : text);

  test.each([...LENSES])('%s: then it is refused, or written back as it was', (name, { lens }) => {
    fc.assert(
      fc.property(texts, (text) => {
        let reading: ReturnType<typeof get>;
        try {
          reading = get(lens, `${text}\n`);
        } catch (error) {
          expect(error).toBeInstanceOf(GuestlessError);
          return;
        }
        const root = new TreeNode('file');
        root.adopt(reading.children);
        expect(put(lens, root, reading.original)).toBe(kept(name, `${text}\n`));
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    ['pipes', 'a | ', 'b\n', ''],
    ['conditions', 'if a; then\n', 'b\n', 'fi\n'],
    ['groups', '{\n', 'b\n', '}\n'],
  ])(
    'shell code with nested %s: then 150 levels are read, written back as they were, and 20,000 are refused at once',
    (_, open, inner, close) => {
      const lens = LENSES.get('Shellvars')!.lens;
      const text = open.repeat(150) + inner + close.repeat(150);
      const reading = get(lens, text);
      const root = new TreeNode('file');
      root.adopt(reading.children);
      expect(put(lens, root, reading.original)).toBe(text);
      expect(() => get(lens, open.repeat(20_000) + inner + close.repeat(20_000))).toThrow(GuestlessError);
    },
  );

  test('then path expressions answer or are refused', () => {
    const session = open(guest({ '/etc/passwd': PASSWD, '/etc/hosts': '1.1.1.1 a b\n' }));
    const words = [
      '/',
      '//',
      '*',
      '.',
      '..',
      '[',
      ']',
      '(',
      ')',
      "'",
      "'a'",
      '=',
      '!=',
      '=~',
      ' and ',
      ' or ',
      'last()',
      'count(',
      'regexp(',
      'files',
      'etc',
      'passwd',
      '$v',
      '1',
      '|',
      '+',
      '\\',
      'child::',
      'parent::',
      ' else ',
      '<',
      ',',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 14 }), (parts) => {
        try {
          expect(Array.isArray(runSync(session.match(parts.join(''))))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(GuestlessError);
        }
      }),
      { numRuns: 800 },
    );
  });

  test('then what would make a backtracking matcher explode takes no time', () => {
    const before = performance.now();
    const session = open(
      guest({
        '/etc/default/x': `A=${'"a\\"'.repeat(4000)}\n`,
        '/etc/hosts': `${'a'.repeat(20_000)} b#\n`,
        '/etc/passwd': `${':'.repeat(20_000)}\n`,
      }),
    );
    expect(runSync(session.match('/augeas/files//error'))).toEqual(['/augeas/files/etc/passwd/error']);
    expect(runSync(session.match(`/files/etc/hosts/1/*[. =~ regexp('(a*)*(a|a)*(aa+)+x')]`))).toEqual([]);
    expect(() => runSync(session.match(`${'('.repeat(5000)}a`))).toThrow(/nested too deep/);
    expect(performance.now() - before).toBeLessThan(20_000);
  });

  test('then a file beyond the limit is noted and not read', () => {
    const session = open(guest({ '/etc/hosts': new Uint8Array(5 << 20) }));
    expect(runSync(session.match('/files/*'))).toEqual([]);
    expect(runSync(session.get('/augeas/files/etc/hosts/error'))).toBe('read_failed');
  });
});

import { describe, expect, it } from 'vitest';
import { FishHost } from '../../src/cli/fish/fish-host.ts';
import { ScriptInput } from '../../src/cli/fish/standard-input.ts';
import { runWaiting } from '../../src/io/drivers.ts';
import { complete, Session, start, VOCABULARY } from '../../src/shell/index.ts';
import { fixture } from '../support/images.ts';
import { options } from './shell.ts';

describe('completion', () => {
  const host = new FishHost({ input: new ScriptInput(0), allowed: [], progress: false });
  const session = new Session(host, VOCABULARY);
  const ready = runWaiting(start(session, options(['--ro', '-a', fixture('shell/disk.img'), '-m', '/dev/sda1'])));
  const candidates = async (line: string, paths = true) => {
    await ready;
    return (await runWaiting(complete(session, line, { paths }))).candidates;
  };

  it('knows commands, own and of libguestfs, by any of their names', async () => {
    expect(await candidates('read-')).toEqual(['read-file ', 'read-lines ']);
    expect(await candidates('unmou')).toEqual(['unmount ', 'unmount-all ']);
    expect(await candidates('-UNSET')).toEqual(['unsetenv ']);
    expect(await candidates('glob rm-')).toEqual(['rm-f ', 'rm-rf ']);
  });

  it('knows devices and paths of the guest, in upper and lower case', async () => {
    expect(await candidates('mount /dev/')).toEqual(['/dev/sda', '/dev/sda1', '/dev/sda2']);
    expect(await candidates('ls /E')).toEqual(['/etc/']);
    expect(await candidates('cat /etc/m')).toEqual(['/etc/motd ']);
    expect(await candidates('cat /nosuch/m')).toEqual([]);
    expect(await candidates('cat /etc/m', false)).toEqual([]);
  });

  it('quotes names with blanks', async () => {
    expect(await candidates('cat /names/')).toEqual(['/names/Zed ', '"/names/a b" ', '"/names/a\'c" ', '/names/é ']);
    expect(await candidates('cat "/names/a ')).toEqual(['"/names/a b" ']);
  });
});

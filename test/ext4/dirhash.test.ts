/** Hashes of names against debugfs, which shares no code with this library; signedness is judged by indexes that the kernel built. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { viewOf } from '../../src/bytes/struct.ts';
import { encodeName } from '../../src/bytes/text.ts';
import { uuidBytes } from '../../src/bytes/uuid.ts';
import { Corrupt, Unsupported } from '../../src/errors.ts';
import { casefold, sameFolded } from '../../src/ext4/casefold.ts';
import { type DirectoryHash, directoryHash } from '../../src/ext4/dirhash.ts';
import { scratchFolder } from '../support/images.ts';
import { must } from '../support/oracle.ts';

const ALGORITHMS = ['legacy', 'half_md4', 'tea'] as const;
const NO_SEED = [0, 0, 0, 0];
const scratch = scratchFolder();

/** What debugfs says of many names at once, in their order. */
function byDebugfs(commands: readonly string[]): DirectoryHash[] {
  const file = path.join(scratch, 'commands');
  fs.writeFileSync(file, commands.map((command) => `dx_hash ${command}\n`).join(''));
  const lines = [...must('debugfs', '-f', file).matchAll(/is 0x([0-9a-f]+) \(minor 0x([0-9a-f]+)\)/g)];
  return lines.map(([, hash, minor]) => ({ hash: Number.parseInt(hash!, 16), minor: Number.parseInt(minor!, 16) }));
}

const NAMES = [
  ...['a', 'hello', 'lost+found', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(33), 'y'.repeat(16), 'z'.repeat(255)],
  ...['Straße', 'ΣΊΣΥΦΟΣ', '\u00ff\u00fe', '日本語のファイル名', '😀'.repeat(20)],
  ...Array.from({ length: 120 }, (_, i) => `${'n'.repeat(i + 1)}-é-${i * 7919}`),
];

describe('the hash of a name', () => {
  test.each(ALGORITHMS)('%s is what debugfs computes', (algorithm) => {
    const version = ALGORITHMS.indexOf(algorithm);
    const expected = byDebugfs(NAMES.map((name) => `-h ${algorithm} ${name}`));
    expect(NAMES.map((name) => directoryHash(encodeName(name), version, { seed: NO_SEED, unsigned: false }))).toEqual(expected);
  });

  test.each(ALGORITHMS)('%s with a seed is what debugfs computes', (algorithm) => {
    const uuid = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
    const view = viewOf(uuidBytes(uuid));
    const seed = [0, 4, 8, 12].map((at) => view.getUint32(at, true));
    const expected = byDebugfs(NAMES.map((name) => `-h ${algorithm} -s ${uuid} ${name}`));
    expect(NAMES.map((name) => directoryHash(encodeName(name), ALGORITHMS.indexOf(algorithm), { seed, unsigned: false }))).toEqual(
      expected,
    );
  });

  test('of ASCII names does not depend on the signedness of bytes, and versions 3 to 5 are unsigned', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 255 }), fc.constantFrom(0, 1, 2), (name, version) => {
        const signed = directoryHash(name, version, { seed: NO_SEED, unsigned: false });
        const unsigned = directoryHash(name, version, { seed: NO_SEED, unsigned: true });
        expect(directoryHash(name, version + 3, { seed: NO_SEED, unsigned: false })).toEqual(unsigned);
        if (name.every((byte) => byte < 128)) expect(signed).toEqual(unsigned);
        expect(signed.hash % 2).toBe(0);
        expect(signed.hash).toBeLessThan(0xfffffffe);
      }),
    );
  });

  test('SipHash is refused by name, unknown versions are corrupt', () => {
    expect(() => directoryHash(encodeName('a'), 6, { seed: NO_SEED, unsigned: false })).toThrow(Unsupported);
    expect(() => directoryHash(encodeName('a'), 7, { seed: NO_SEED, unsigned: false })).toThrow(Corrupt);
  });
});

describe('folded names', () => {
  test('hash as debugfs has them, over all scripts and with marks around', () => {
    const names: string[] = [];
    for (let code = 0xa1; code < 0x110000; code += code < 0x3400 ? 1 : code < 0xe000 ? 37 : code < 0x20000 ? 5 : 499) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      names.push(String.fromCodePoint(code), `a\u0301${String.fromCodePoint(code)}\u0323Z`);
    }
    const expected = byDebugfs(names.map((name) => `-c -e utf8 -h half_md4 ${name}`));
    expect(expected.length).toBe(names.length);
    const wrong = names.filter((name, i) => {
      const bytes = encodeName(name);
      const { hash, minor } = directoryHash(casefold(bytes) ?? bytes, 1, { seed: NO_SEED, unsigned: false });
      return hash !== expected[i]!.hash || minor !== expected[i]!.minor;
    });
    expect(wrong.map((name) => [...name].map((character) => character.codePointAt(0)!.toString(16)).join(' '))).toEqual([]);
  });

  test('are the same without regard to case and normal form, and byte by byte where they are no UTF-8', () => {
    const same = (a: string, b: string): boolean => sameFolded(encodeName(a))(encodeName(b));
    expect(same('Straße', 'STRASSE')).toBe(true);
    expect(same('É', 'e\u0301')).toBe(true);
    expect(same('Ꭰ', 'ꭰ')).toBe(true);
    expect(same('a\u00adb', 'AB')).toBe(true);
    expect(same('ａ', 'a')).toBe(false);
    expect(sameFolded(Uint8Array.from([0x41, 0xff]))(Uint8Array.from([0x61, 0xff]))).toBe(false);
    expect(sameFolded(Uint8Array.from([0x41, 0xff]))(Uint8Array.from([0x41, 0xff]))).toBe(true);
  });
});

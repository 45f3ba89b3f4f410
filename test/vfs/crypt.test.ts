import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desCrypt } from '../../src/vfs/crypt/des-crypt.ts';
import { md5Crypt } from '../../src/vfs/crypt/md5-crypt.ts';
import { sha512Crypt } from '../../src/vfs/crypt/sha512-crypt.ts';
import { must } from '../support/oracle.ts';

const salts = fc.string({ unit: fc.constantFrom(...'./0123456789ABCDEFabcdefxyzXYZ'), minLength: 8, maxLength: 16 });
const passwords = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !/[\0\n\r]/.test(text) && text.isWellFormed());
/** crypt(3) of the C library, through Perl. */
function crypt(password: string, setting: string): string {
  return must('perl', '-e', 'print crypt($ARGV[0], $ARGV[1])', password, setting);
}

describe('password hashes', () => {
  it('MD5-crypt gives the known vectors', () => {
    expect(md5Crypt('123456', '1234567890abcdef')).toBe('$1$12345678$a4ge4d5iJ5vwvbFS88TEN0');
    expect(md5Crypt('', '12345678')).toBe('$1$12345678$xek.CpjQUVgdf/P2N9KQf/');
    expect(md5Crypt('pässword', 'abcdefgh')).toBe('$1$abcdefgh$6qENbeetgn0exf.OCTQaP0');
    expect(md5Crypt('x'.repeat(200), '........')).toBe('$1$........$DQHKiXNghaprg6lFSNdj11');
    expect(md5Crypt('a', 'a/b.c')).toBe('$1$a/b.c$nZSrpmF0beVI.0f8H1lK2/');
  });

  it('DES-crypt gives the known vector', () => {
    expect(desCrypt('123456', '12')).toBe('12tir.zIbWQ3c');
  });

  it('all three agree with the C library on random passwords and salts', () => {
    fc.assert(
      fc.property(passwords, salts, (password, salt) => {
        expect(md5Crypt(password, salt)).toBe(crypt(password, `$1$${salt}`));
        expect(sha512Crypt(password, salt)).toBe(crypt(password, `$6$${salt}$`));
        expect(desCrypt(password, salt)).toBe(crypt(password, salt.slice(0, 2)));
      }),
      { numRuns: 20 },
    );
  });
});

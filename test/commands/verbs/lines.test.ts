/** head, tail and wc against the real ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { must } from '../../support/oracle.ts';
import '../../support/seed.ts';
import { Guest, hostFile } from './guest.ts';

const guest = Guest.empty();
const text = fc
  .array(fc.constantFrom('a', 'word', ' ', '\n', '\n\n', '\t', '\r\n', '\v', 'é', '\x01', 'x'.repeat(70_000)), { maxLength: 12 })
  .map((parts) => parts.join(''));

function lines(output: string): string[] {
  return output === '' ? [] : output.replace(/\n$/, '').split('\n');
}

describe('lines', () => {
  it('are those of head, tail and wc', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: -6, max: 6 }), (content, count) => {
        const file = hostFile(content);
        guest.write('/f', content);
        expect(guest.call('head_n', { nrlines: count, path: '/f' })).toEqual(lines(must('head', '-n', String(count), file)));
        const tail = count < 0 ? `+${-count}` : String(count);
        expect(guest.call('tail_n', { nrlines: count, path: '/f' })).toEqual(lines(must('tail', '-n', tail, file)));
        const [newlines, words, bytes] = must('wc', file).trim().split(/ +/).map(Number);
        expect(guest.call('wc_l', { path: '/f' })).toBe(newlines);
        expect(guest.call('wc_w', { path: '/f' })).toBe(words);
        expect(guest.call('wc_c', { path: '/f' })).toBe(bytes);
      }),
      { numRuns: 40 },
    );
  });

  it('ten are the default, and a NUL byte ends the text', () => {
    guest.write('/many', Array.from({ length: 25 }, (_, i) => `${i}\n`).join(''));
    expect(guest.call('head', { path: '/many' })).toEqual(Array.from({ length: 10 }, (_, i) => String(i)));
    expect(guest.call('tail', { path: '/many' })).toEqual(Array.from({ length: 10 }, (_, i) => String(i + 15)));
    guest.write('/nul', Buffer.from('abc\0def\nghi\n'));
    expect(guest.call('head', { path: '/nul' })).toEqual(['abc']);
    expect(guest.call('read_lines', { path: '/nul' })).toEqual(['abc', 'ghi']);
    expect(guest.call('cat', { path: '/nul' })).toBe('abc');
  });

  it.each([
    ['', []],
    ['\n', ['']],
    ['\r\n', ['']],
    ['a\r\nb', ['a', 'b']],
    ['a\n\r\n', ['a', '']],
  ])('read_lines of %j', (content, expected) => {
    guest.write('/l', content);
    expect(guest.call('read_lines', { path: '/l' })).toEqual(expected);
  });

  it('more than an answer holds is refused', () => {
    guest.write('/big', 'x\n'.repeat(3 << 20));
    expect(guest.errno('head_n', { nrlines: 10_000_000, path: '/big' })).toBe('E2BIG');
    expect(guest.call('wc_l', { path: '/big' })).toBe(3 << 20);
    guest.finish();
  });
});

/** Given a file that is rewritten aside, the commit makes the real one what the staged one was. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runSync } from '../../src/io/index.ts';
import { applyThroughJournal, StagedSource } from '../../src/overlay/index.ts';
import { commitHost } from '../../src/platform/node/commit.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { openTemporary } from '../../src/platform/node/temporary.ts';
import { scratchFolder } from '../support/images.ts';
import { image } from './changes.ts';

test('writes, growth and truncation, in any order', () => {
  const file = path.join(scratchFolder(), 'file.img');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), at: fc.nat(600_000), length: fc.nat(150_000), value: fc.nat(255) }),
    fc.record({ kind: fc.constant('truncate' as const), at: fc.nat(700_000), length: fc.constant(0), value: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      fs.writeFileSync(file, image());
      const source = FileSource.open(file);
      const staged = new StagedSource(source, { budget: 1 << 17, temporary: openTemporary });
      let model = image();
      const resize = (size: number): void => {
        const next = new Uint8Array(size);
        next.set(model.subarray(0, size));
        model = next;
      };
      for (const { kind, at, length, value } of steps) {
        if (kind === 'truncate') {
          staged.truncateSync(at);
          resize(at);
        } else if (length > 0) {
          const bytes = new Uint8Array(length).fill(value);
          staged.writeSync(at, bytes);
          if (at + length > model.length) resize(at + length);
          model.set(bytes, at);
        }
        const seen = new Uint8Array(model.length + 10);
        expect(staged.readSync(0, seen)).toBe(model.length);
        expect(Buffer.compare(seen.subarray(0, model.length), model)).toBe(0);
      }
      expect(Buffer.compare(fs.readFileSync(file), image())).toBe(0);
      runSync(applyThroughJournal(commitHost(file), staged.changes(), function* () {}));
      expect(Buffer.compare(fs.readFileSync(file), model)).toBe(0);
      staged.close();
      source.close();
    }),
    { numRuns: 60 },
  );
});

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Inbox } from '../../src/appliance/inbox.ts';

it('bytes come out of the inbox as they went in, however they are cut', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), length: fc.nat(40) }),
    fc.record({ kind: fc.constant('take' as const), length: fc.nat(60) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 64 }), (steps, capacity) => {
      const inbox = new Inbox(capacity);
      const model: number[] = [];
      let next = 0;
      for (const { kind, length } of steps) {
        if (kind === 'append') {
          const bytes = Uint8Array.from({ length }, () => next++ & 255);
          model.push(...bytes);
          inbox.append(bytes);
          bytes.fill(255);
        } else if (length <= model.length) expect([...inbox.take(length)]).toEqual(model.splice(0, length));
        expect(inbox.length).toBe(model.length);
        const [a = 0, b = 0, c = 0, d = 0] = model;
        expect(inbox.peekWord()).toBe(model.length < 4 ? undefined : a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d);
      }
    }),
  );
});

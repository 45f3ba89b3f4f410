import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { DriveOptions } from '../../src/commands/verbs/handle.ts';
import { GuestlessError } from '../../src/errors.ts';
import { CANCEL_FLAG, CHUNK_MAX, encodeWord, LAUNCH_FLAG, splitOptions, XdrReader, XdrWriter } from '../../src/guestfs/index.ts';
import { runSync } from '../../src/io/drivers.ts';
import { openDrive } from '../../src/library/drive.ts';
import type { OverlayDevice } from '../../src/overlay/overlay.ts';
import { callMessage, chunk, converse, join, text } from './client.ts';

const demo = new URL('../../fixtures/demo.qcow2', import.meta.url).pathname;
const open: DriveOptions[] = [];

function demoDrive(): DriveOptions {
  const drive = runSync(openDrive({ file: demo, readOnly: true }));
  open.push(drive);
  return drive;
}

afterEach(() => {
  for (const drive of open.splice(0)) (drive.image as { close?(): void }).close?.();
});

const string = (value: string) => (writer: XdrWriter) => writer.opaque(text(value));
const mountRoot = callMessage('mount', (writer) => {
  writer.opaque(text('/dev/sda2'));
  writer.opaque(text('/'));
});

describe('XDR', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.integer(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        (list, int, hyper) => {
          const writer = new XdrWriter();
          writer.array(list, (one) => writer.opaque(one));
          writer.int(int);
          writer.hyper(hyper);
          expect(writer.length % 4).toBe(0);
          const reader = new XdrReader(writer.bytes);
          expect(reader.array(() => reader.opaque().slice())).toEqual(list);
          expect(reader.int()).toBe(int | 0);
          expect(reader.hyper()).toBe(hyper);
          expect(reader.left).toBe(0);
        },
      ),
    );
  });

  it('refuses a message that ends too early, at every length', () => {
    const writer = new XdrWriter();
    writer.array(['a', 'bc', 'defgh'], (one) => writer.opaque(text(one)));
    for (let length = 0; length < writer.length - 3; length++) {
      const reader = new XdrReader(writer.bytes.slice(0, length));
      expect(() => reader.array(() => reader.opaque())).toThrow(GuestlessError);
    }
  });
});

describe('options of the hypervisor', () => {
  it('double commas are commas', () => {
    expect([...splitOptions('file=/a,,b,,,format=raw,id=hd0')]).toEqual([
      ['file', '/a,b,'],
      ['format', 'raw'],
      ['id', 'hd0'],
    ]);
    expect([...splitOptions('socket,path=/x,id=c')]).toEqual([
      ['', 'socket'],
      ['path', '/x'],
      ['id', 'c'],
    ]);
    expect([...splitOptions('file=/a,,')]).toEqual([['file', '/a,']]);
  });

  it('any name survives', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (name) => {
        expect(splitOptions(`id=x,file=${name.replaceAll(',', ',,')},format=raw`).get('file')).toBe(name);
      }),
    );
  });
});

describe('the message loop', () => {
  it('given a launched daemon, when it is pinged, then it has said that it is there and answers by number and serial', () => {
    const ping = callMessage('ping_daemon');
    const { replies } = converse([ping], []);
    expect(replies[0]).toMatchObject({ kind: 'word', word: LAUNCH_FLAG });
    expect(replies[1]).toMatchObject({ kind: 'reply', serial: new DataView(ping.buffer).getUint32(20) });
    expect(replies).toHaveLength(2);
  });

  it('given a call that is wrong in its head, then it is an error and the next call works', () => {
    const { replies } = converse(
      [
        callMessage(9999),
        callMessage('ping_daemon', undefined, { program: 1 }),
        callMessage('ping_daemon', undefined, { version: 3 }),
        callMessage('ping_daemon', undefined, { direction: 1 }),
        callMessage('ping_daemon', undefined, { bits: 1n }),
        encodeWord(CANCEL_FLAG),
        callMessage('ping_daemon'),
      ],
      [],
    );
    expect(replies.slice(1).map((reply) => reply.kind)).toEqual(['error', 'error', 'error', 'error', 'error', 'reply']);
  });

  it('given nothing mounted, when a path is used, then the answer is what libguestfs says', () => {
    const { replies } = converse([callMessage('umount', string('/')), callMessage('exists', string('/etc'))], [demoDrive()]);
    expect(replies[1]).toMatchObject({ kind: 'error', errno: 'EINVAL' });
    expect(replies[2]?.message).toContain("call 'mount' first");
  });

  it('given a drive, when it is mounted and unmounted, then names are translated and what is mounted is listed', () => {
    const { replies } = converse(
      [
        callMessage('mount_ro', (writer) => {
          writer.opaque(text('/dev/vda2'));
          writer.opaque(text('/'));
        }),
        callMessage('mounts'),
        callMessage('umount', string('/dev/hda2')),
        callMessage('mounts'),
        callMessage('mount', (writer) => {
          writer.opaque(text('/dev/sdb'));
          writer.opaque(text('/'));
        }),
        callMessage('mount', (writer) => {
          writer.opaque(text('sda'));
          writer.opaque(text('/'));
        }),
      ],
      [demoDrive()],
    );
    const list = (index: number): string[] => {
      const body = replies[index]?.body as XdrReader;
      return body.array(() => new TextDecoder().decode(body.opaque()));
    };
    expect(replies[1]?.kind).toBe('reply');
    expect(list(2)).toEqual(['/dev/sda2']);
    expect(list(4)).toEqual([]);
    expect(replies[5]).toMatchObject({ kind: 'error', errno: 'ENOENT' });
    expect(replies[6]).toMatchObject({ kind: 'error', errno: 'EINVAL' });
  });

  it('given a feature that is not here, then the errno is ENOTSUP and the group says so', () => {
    const { replies } = converse(
      [
        callMessage('pvcreate', string('/dev/sda')),
        callMessage('internal_feature_available', string('lvm2')),
        callMessage('internal_feature_available', string('nonsense')),
      ],
      [demoDrive()],
    );
    expect(replies[1]).toMatchObject({ kind: 'error', errno: 'ENOTSUP' });
    expect(replies[2]?.body?.int()).toBe(1);
    expect(replies[3]?.body?.int()).toBe(2);
  });
});

describe('files in and out', () => {
  const content = text('0123456789'.repeat(5000));
  const upload = (parts: ReturnType<typeof chunk>[], path = '/new'): Uint8Array[] => [callMessage('upload', string(path)), ...parts];
  const inChunks = (bytes: Uint8Array): ReturnType<typeof chunk>[] => {
    const parts = [];
    for (let at = 0; at < bytes.length; at += CHUNK_MAX) parts.push(chunk(bytes.slice(at, at + CHUNK_MAX)));
    return parts;
  };
  const download = (path: string): Uint8Array => callMessage('download', string(path));

  it('what is uploaded is downloaded', () => {
    const { replies } = converse([mountRoot, ...upload([...inChunks(content), chunk()]), download('/new')], [demoDrive()]);
    const chunks = replies.filter((reply) => reply.kind === 'chunk');
    expect(join(chunks.map((reply) => reply.data as Uint8Array))).toEqual(content);
    expect(chunks.at(-1)).toMatchObject({ cancelled: false });
    expect(replies.filter((reply) => reply.kind === 'error')).toEqual([]);
  });

  it('an upload that the client gives up changes nothing, wherever it does', () => {
    const parts = inChunks(content);
    for (let given = 0; given <= parts.length; given += 2) {
      const { replies } = converse(
        [mountRoot, ...upload([...parts.slice(0, given), chunk(undefined, true)]), callMessage('exists', string('/new'))],
        [demoDrive()],
      );
      expect(replies[2]).toMatchObject({ kind: 'error' });
      expect(replies[3]?.body?.int()).toBe(0);
    }
  });

  it('an upload that cannot be: the client is told to stop, its file is taken to the end, the next call works', () => {
    const { replies } = converse(
      [mountRoot, ...upload([...inChunks(content), chunk()], '/no/such/place'), callMessage('ping_daemon')],
      [demoDrive()],
    );
    expect(replies[2]).toMatchObject({ kind: 'word', word: CANCEL_FLAG });
    expect(replies[3]).toMatchObject({ kind: 'error', errno: 'ENOENT' });
    expect(replies[4]).toMatchObject({ kind: 'reply' });
  });

  it('the client is gone in the middle of an upload: nothing of it stays', () => {
    const parts = upload([...inChunks(content), chunk()]);
    const whole = join(parts);
    for (const length of [60, 4000, 20_000, whole.length - 1]) {
      const { handle } = converse([mountRoot, whole.subarray(0, length)], [demoDrive()]);
      expect(runSync(handle.tree.exists('/new'))).toBe(false);
    }
  });

  it('a download of what is not there is an error before any chunk', () => {
    const { replies } = converse([mountRoot, download('/nothing'), download('/etc')], [demoDrive()]);
    expect(replies[2]).toMatchObject({ kind: 'error', errno: 'ENOENT' });
    expect(replies[3]).toMatchObject({ kind: 'error', errno: 'EISDIR' });
  });

  it('the client cancels a download: it ends with a cancelled chunk and no reply, and the next call works', () => {
    const large = new Uint8Array(1 << 20).fill(7);
    const { replies } = converse(
      [mountRoot, ...upload([...inChunks(large), chunk()]), download('/new'), callMessage('ping_daemon')],
      [demoDrive()],
      { late: { after: 200_000, bytes: encodeWord(CANCEL_FLAG) } },
    );
    const last = replies.findLastIndex((reply) => reply.kind === 'chunk');
    expect(replies[last]).toMatchObject({ cancelled: true });
    expect(replies.slice(last + 1).map((reply) => reply.kind)).toEqual(['reply']);
  });

  it('a long upload tells how far it is, and that it is complete', () => {
    let clock = 0;
    const { replies } = converse(
      [mountRoot, callMessage('upload', string('/new'), { hint: 4 << 20 }), ...inChunks(new Uint8Array(4 << 20)), chunk()],
      [demoDrive()],
      { milliseconds: () => (clock += 400) },
    );
    const progress = replies.filter((reply) => reply.kind === 'progress');
    expect(progress.length).toBeGreaterThan(3);
    expect(replies.at(-1)?.kind).toBe('reply');
    expect(replies.at(-2)?.kind).toBe('progress');
  });
});

describe('a hostile client', () => {
  it('gets errors or is cut off, whatever it sends; the image stays as it is', () => {
    const numbers = fc.oneof(fc.integer({ min: 0, max: 530 }), fc.nat());
    const message = fc.oneof(
      fc
        .tuple(numbers, fc.uint8Array({ maxLength: 60 }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
        .map(([number, args, bits]) => callMessage(number, (writer) => writer.fixed(args), { bits: bits % 7n === 0n ? bits : 0n })),
      fc
        .tuple(
          fc.constantFrom('mkdir', 'rm_rf', 'chmod', 'exists', 'ls0', 'upload', 'download', 'mount', 'umount'),
          fc.constantFrom('/', '/etc', '/dev/sda', '', '/../..', '/dev/sda2'),
        )
        .map(([name, argument]) => callMessage(name, string(argument))),
      fc.uint8Array({ maxLength: 80 }),
      fc.uint8Array({ maxLength: 80 }).map((data) => chunk(data)),
    );
    const before = runSync((demoDrive().image as OverlayDevice).read(0, 1 << 20)).slice();
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
        try {
          converse([mountRoot, ...messages], [demoDrive()]);
        } catch (error) {
          expect(error).toBeInstanceOf(GuestlessError);
        }
      }),
      { numRuns: 300 },
    );
    expect(runSync((demoDrive().image as OverlayDevice).read(0, 1 << 20))).toEqual(before);
  });
});

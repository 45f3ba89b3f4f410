/** Programs that are wrong or mean: small modules, put together here. What they do is told as an error of ours, and the guest stays sound. */
import * as fs from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/bytes/struct.ts';
import { decodeName, encodeName } from '../../src/bytes/text.ts';
import { Posix, Unsupported } from '../../src/errors.ts';
import { EditableTree, EditSession } from '../../src/guest/index.ts';
import { MemorySource, runSync, SourceDevice } from '../../src/io/index.ts';
import { runProgram, StandardStream } from '../../src/wasi/index.ts';
import { scratchFolder } from '../support/images.ts';
import { e2fsckComplaints, must } from '../support/oracle.ts';
import { buildModule, callAndDrop, i32, i64, type ModuleOptions, type ValueType } from './module.ts';

const SIZE = 4 << 20;
const FOLDER = scratchFolder();
let image: Bytes;

beforeAll(() => {
  const file = `${FOLDER}/guest.img`;
  fs.writeFileSync(file, '');
  fs.truncateSync(file, SIZE);
  must('mke2fs', '-q', '-t', 'ext4', file);
  image = fs.readFileSync(file);
});

interface Ran {
  readonly status: number;
  readonly output: string;
  readonly tree: EditableTree;
}

/** Runs a module over a guest; the guest is judged whatever becomes of it. */
function start(options: ModuleOptions, prepare: (tree: EditableTree) => void = () => {}, input = ''): Ran {
  const session = new EditSession(new SourceDevice(new MemorySource(image)));
  const tree = new EditableTree();
  runSync(session.mount(tree, { points: [{ device: '/dev/sda', at: '/', wanted: true }] }));
  prepare(tree);
  let output = '';
  let rest = encodeName(input);
  const write = (data: Bytes): void => void (output += new TextDecoder().decode(data));
  const read = (size: number): Bytes => {
    const part = rest.subarray(0, size);
    rest = rest.subarray(size);
    return part;
  };
  try {
    const status = runProgram(tree, (imports) => new WebAssembly.Instance(new WebAssembly.Module(buildModule(options)), imports), {
      args: ['small'],
      stdin: new StandardStream(0, { read }),
      stdout: new StandardStream(1, { write }),
      stderr: new StandardStream(2, {}),
      now: () => ({ seconds: 1_700_000_000, nanoseconds: 0 }),
    });
    return { status, output, tree };
  } finally {
    runSync(tree.flush());
    const copy = `${FOLDER}/after.img`;
    fs.writeFileSync(copy, runSync(session.overlay.read(0, SIZE)));
    expect(e2fsckComplaints(copy)).toBe('');
  }
}

const FD_WRITE = { name: 'fd_write', parameters: Array<ValueType>(4).fill('i32') };
const FD_READ = { name: 'fd_read', parameters: FD_WRITE.parameters };
const EXIT = { name: 'proc_exit', parameters: ['i32'] as const, result: false };
const PATH_OPEN = { name: 'path_open', parameters: ['i32', 'i32', 'i32', 'i32', 'i32', 'i64', 'i64', 'i32', 'i32'] as const };
const UNLINK = { name: 'path_unlink_file', parameters: ['i32', 'i32', 'i32'] as const };

/** An iovec at 100: `length` bytes at 0. */
const iovec = (length: number): number[] => [...i32(100), ...i32(0), 0x36, 2, 0, ...i32(104), ...i32(length), 0x36, 2, 0];
const write = (index: number, descriptor: number): number[] => [
  ...i32(descriptor),
  ...i32(100),
  ...i32(1),
  ...i32(108),
  ...callAndDrop(index),
];
/** Opens the path of `length` bytes at 0 for reading and writing. */
const open = (index: number, length: number, flags: number): number[] => [
  ...i32(3),
  ...i32(1),
  ...i32(0),
  ...i32(length),
  ...i32(flags),
  ...i64(0x42),
  ...i64(0),
  ...i32(0),
  ...i32(200),
  ...callAndDrop(index),
];

describe('a program', () => {
  test('that prints what it reads', () => {
    const code = [...iovec(5), ...write(1, 0), ...write(0, 1)];
    expect(start({ imports: [FD_WRITE, FD_READ], code }, undefined, 'hello').output).toBe('hello');
  });

  test('that leaves a file open which it removed: the file is gone in the end, not left under another name', () => {
    const code = [...open(0, 4, 0), ...i32(3), ...i32(0), ...i32(4), ...callAndDrop(1)];
    const { tree } = start({ imports: [PATH_OPEN, UNLINK], code, data: 'gone' }, (guest) => guest.sync.writeFile('/gone', encodeName('x')));
    expect(tree.sync.readdir('/').map(({ name }) => decodeName(name))).toEqual(['lost+found']);
  });

  test('that ends with a status', () => {
    expect(start({ imports: [EXIT], code: [...i32(7), 0x10, 0] }).status).toBe(7);
  });
});

describe('what is no program, or a bad one', () => {
  test('no _start, no memory, imports that WASI does not have', () => {
    expect(() => start({ code: [], start: 'main' })).toThrow(/no program of WASI preview 1: it has no _start/);
    expect(() => start({ code: [], memory: false })).toThrow(/it exports no memory/);
    expect(() => start({ code: [], imports: [{ module: 'env', name: 'fork', parameters: [] }] })).toThrow(Unsupported);
    expect(() => start({ code: [], imports: [{ name: 'no_such_call', parameters: [] }] })).toThrow(Unsupported);
  });

  test('one that traps', () => {
    expect(() => start({ code: [0x00] })).toThrow(new Posix('EIO', {}, 'the program failed: unreachable'));
  });

  test('one that calls itself without end', () => {
    expect(() => start({ code: [0x10, 0] })).toThrow(/the program failed: .*stack/);
  });

  test('one that gives addresses outside of its memory', () => {
    const code = [...i32(1), ...i32(0x7fff_ffff), ...i32(1), ...i32(0), ...callAndDrop(0)];
    expect(() => start({ imports: [FD_WRITE], code })).toThrow(/the program failed/);
    const path = [...i32(3), ...i32(0x7fff_0000), ...i32(10), ...callAndDrop(0)];
    expect(() => start({ imports: [UNLINK], code: path })).toThrow(/the program failed/);
  });

  test('one that traps with a file half written: the file system is sound', () => {
    const code = [...open(0, 4, 9), ...iovec(4), ...write(1, 4), 0x00];
    expect(() => start({ imports: [PATH_OPEN, FD_WRITE], code, data: 'half' })).toThrow(/unreachable/);
  });

  test('descriptors that are not open are errors of the call, not of the program', () => {
    const code = [...iovec(4), ...write(0, 77), ...i32(77), ...i32(0), ...i32(4), ...callAndDrop(1)];
    expect(start({ imports: [FD_WRITE, UNLINK], code }).status).toBe(0);
  });
});

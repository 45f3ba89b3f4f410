// Real programs of WASI over a guest, compared with the same over the kernel's mount of the same image. The last line is `N passed, N failed`.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { brotliDecompressSync } from 'node:zlib';
import { RubyVM } from '@ruby/wasm-wasi';
import { EditableTree, EditSession, openImageFile, runSync } from '../../dist/index.js';
import { StandardStream, WasiProgram } from '../../dist/wasi/index.js';
import { runChecks } from '../support/run-checks.js';
import { getCompressedBytes } from './node_modules/ripgrep/lib/_rg.wasm.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-wasi-'));
const image = path.join(work, 'demo.qcow2');
fs.copyFileSync(path.join(root, 'fixtures/demo.qcow2'), image);
const ROOT_OFFSET = 38_797_312;

function must(command, ...parameters) {
  const { status, stdout, stderr } = spawnSync(command, parameters, {
    encoding: 'latin1',
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  });
  assert.equal(status, 0, `${command} ${parameters.join(' ')}: ${stderr}`);
  return stdout;
}

/** The same image under the kernel. */
function mounted(body) {
  const raw = path.join(work, 'kernel.raw');
  const at = path.join(work, 'mnt');
  must('qemu-img', 'convert', '-O', 'raw', image, raw);
  fs.mkdirSync(at, { recursive: true });
  must('mount', '-o', `loop,offset=${ROOT_OFFSET}`, raw, at);
  try {
    return body(at);
  } finally {
    must('umount', at);
  }
}

const silent = (number) => new StandardStream(number, {});

async function ruby(tree, script) {
  const now = () => ({ seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 });
  const program = new WasiProgram(tree, { args: ['ruby'], stdin: silent(0), stdout: silent(1), stderr: silent(2), now });
  const module = await WebAssembly.compile(
    fs.readFileSync(path.join(import.meta.dirname, 'node_modules/@ruby/3.4-wasm-wasi/dist/ruby.wasm')),
  );
  const { vm } = await RubyVM.instantiateModule({ module, wasip1: program.wasi });
  const result = vm.eval(`Encoding.default_external = 'UTF-8'\n${script}`).toString();
  program.close();
  return result;
}

const conformance = fs.readFileSync(path.join(import.meta.dirname, 'conformance.rb'), 'utf8');
const rg = path.join(work, 'rg.wasm');
fs.writeFileSync(rg, brotliDecompressSync(getCompressedBytes()));
const guestless = (...words) => must(path.join(root, 'guestless'), ...words);
/** As text: ripgrep prints names that are no UTF-8 with the replacement character. */
const lines = (text) =>
  Buffer.from(text, 'latin1')
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .sort();

const TESTS = {
  async 'CRuby does the same with files as over the kernel, and leaves a clean file system'() {
    const opened = runSync(openImageFile(image));
    const session = new EditSession(opened, {});
    const tree = new EditableTree();
    runSync(session.mount(tree, { points: [{ device: '/dev/sda2', at: '/', wanted: true }] }));
    const ours = await ruby(tree, conformance.replace('R = ROOT', "R = ''"));
    runSync(tree.flush());
    const changed = path.join(work, 'changed.raw');
    fs.writeFileSync(changed, runSync(session.overlay.read(ROOT_OFFSET, 64 << 20)));
    const script = path.join(work, 'script.rb');
    const theirs = mounted((at) => {
      fs.writeFileSync(script, `${conformance.replace('R = ROOT', `R = '${at}'`)}\nprint $lines.join("\\n") + "\\n"`);
      return must('ruby', '-EUTF-8', script);
    });
    const things = (text) => text.split('\n').flatMap((line) => (line.startsWith('everything') ? line.split('], [') : [line]));
    assert.deepEqual(things(ours), things(Buffer.from(theirs, 'latin1').toString()));
    assert.doesNotMatch(must('e2fsck', '-fn', changed), /error|fix|Unattached|wrong/i);
    session.close();
  },

  'ripgrep finds what find finds'() {
    const ours = lines(guestless('wasi', '-m', '/dev/sda2', image, rg, '--files', '--hidden', '--no-ignore', '/'));
    const theirs = mounted((at) => lines(must('find', at, '-type', 'f').replaceAll(at, '')));
    assert.deepEqual(ours, theirs);
    assert.ok(ours.length > 15);
  },

  'ripgrep matches what grep matches'() {
    const ours = lines(
      guestless(
        'wasi',
        '-m',
        '/dev/sda2',
        image,
        rg,
        '-n',
        '--text',
        '--hidden',
        '--no-ignore',
        '--no-messages',
        'root|Package',
        '/etc',
        '/var/lib',
      ),
    );
    const theirs = mounted((at) => lines(must('grep', '-rnaE', 'root|Package', `${at}/etc`, `${at}/var/lib`).replaceAll(at, '')));
    assert.deepEqual(ours, theirs);
    assert.ok(ours.length > 5);
  },

  'esbuild bundles a program that lies in the guest, and writes the result into an overlay of it'() {
    const source = path.join(work, 'project.qcow2');
    fs.writeFileSync(path.join(work, 'a.ts'), "import { b } from './lib/b';\nconsole.log(b satisfies number);\n");
    fs.mkdirSync(path.join(work, 'lib'));
    fs.writeFileSync(path.join(work, 'lib/b.ts'), 'export const b: number = 42;\n');
    guestless('copy-in', '--overlay', source, image, path.join(work, 'a.ts'), path.join(work, 'lib'), '/srv');
    const esbuild = path.join(import.meta.dirname, 'node_modules/@esbuild/wasi-preview1/esbuild.wasm');
    const result = path.join(work, 'built.qcow2');
    guestless('wasi', '--overlay', result, source, esbuild, '/srv/a.ts', '--bundle', '--outfile=/srv/out.js', '--log-level=error');
    fs.writeFileSync(path.join(work, 'out.js'), guestless('cat', result, '/srv/out.js'));
    assert.equal(must('node', path.join(work, 'out.js')), '42\n');
    must('qemu-img', 'check', result);
  },

  'a program that is none, one that fails, and one that wants other imports are told of'() {
    const text = path.join(work, 'text.wasm');
    fs.writeFileSync(text, 'not a program');
    const wanting = path.join(work, 'wanting.wasm');
    // A module that imports e.f and nothing else.
    fs.writeFileSync(wanting, Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 101, 1, 102, 0, 0));
    for (const [file, status] of [
      [text, 3],
      [wanting, 3],
      [path.join(work, 'none'), 1],
    ]) {
      const outcome = spawnSync(path.join(root, 'guestless'), ['wasi', image, file], { encoding: 'utf8' });
      assert.equal(outcome.status, status, outcome.stderr);
      assert.match(outcome.stderr, /^guestless: /);
    }
    const missing = spawnSync(path.join(root, 'guestless'), ['wasi', image, rg, 'x', '/nothing'], { encoding: 'utf8' });
    assert.equal(missing.status, 2);
    assert.match(missing.stderr, /No such file/);
  },
};

const before = fs.readFileSync(image);
await runChecks(TESTS, { after: () => assert.ok(before.equals(fs.readFileSync(image)), 'the image was changed') });
fs.rmSync(work, { recursive: true, force: true });

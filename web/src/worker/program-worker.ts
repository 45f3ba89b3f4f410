/**
 * The worker of one program of WASI. The program holds it to its end, so it has an opening of the image to itself, with the changes as they were; what the
 * program changed goes back as a file. To stop it, the worker is ended, and nothing of it remains.
 */
import { GuestlessError, Unsupported } from '../../../src/errors.ts';
import type { EditableTree } from '../../../src/guest/edit.ts';
import { runProgram, type StandardStream } from '../../../src/wasi/index.ts';
import { changesInFile, takeChanges } from './changes-file.ts';
import { run } from './driver.ts';
import { failureOf } from './failure.ts';
import { clock, codecs, OpenDisk } from './open-disk.ts';
import type { FromProgram, ProgramEnd, ProgramTask } from './program.ts';
import { streamsOf } from './program-streams.ts';
import { sourcesOfFiles, sourcesOfUrl, traffic } from './sources.ts';

/** The longest program, in bytes. */
const PROGRAM_MAX = 512 << 20;

function send(message: FromProgram): void {
  self.postMessage(message);
}

/** Does the task of this worker, and tells of it. */
export async function serveProgram(task: ProgramTask): Promise<void> {
  try {
    send({ end: await perform(task) });
  } catch (error) {
    send({ end: { failure: failureOf(error), traffic } });
  }
}

async function perform(task: ProgramTask): Promise<ProgramEnd> {
  await codecs.load();
  const sources = task.url === undefined ? await sourcesOfFiles(task.files) : await sourcesOfUrl(task.url, { synchronous: true });
  const disk = await OpenDisk.open(sources, task.url !== undefined, new AbortController().signal);
  if (task.root !== undefined) await disk.show(task.root);
  if (task.changes !== undefined) await takeChanges(disk, task.changes);
  const tree = await disk.editableTree();
  const { program } = task;
  const bytes = 'file' in program ? await bytesOf(program.file) : await run(tree.readFile(program.path, { limit: PROGRAM_MAX }));
  const name = ('file' in program ? program.file.name : program.path).replace(/^.*\//, '');
  const { streams, finish } = streamsOf(task.input, (output, error) => send({ output, error }));
  const outcome = runOver(tree, bytes, { args: [name, ...task.words], env: task.env }, streams);
  finish();
  const changes = await changesInFile(disk);
  return { ...outcome, traffic, ...(changes === undefined ? {} : { changes }) };
}

async function bytesOf(file: File): Promise<Uint8Array<ArrayBuffer>> {
  if (file.size > PROGRAM_MAX) throw new Unsupported('programs of more than 512 MiB');
  return new Uint8Array(await file.arrayBuffer());
}

function runOver(
  tree: EditableTree,
  program: Uint8Array,
  words: { readonly args: readonly string[]; readonly env: readonly string[] },
  [stdin, stdout, stderr]: readonly [StandardStream, StandardStream, StandardStream],
): Pick<ProgramEnd, 'status' | 'failure'> {
  try {
    const instantiate = (imports: WebAssembly.Imports): WebAssembly.Instance =>
      new WebAssembly.Instance(new WebAssembly.Module(program as Uint8Array<ArrayBuffer>), imports);
    return {
      status: runProgram(tree, (imports) => instantiate(imports as unknown as WebAssembly.Imports), {
        ...words,
        stdin,
        stdout,
        stderr,
        now: clock,
      }),
    };
  } catch (error) {
    // What it had changed until then is there, as it would be on a real disk.
    if (error instanceof GuestlessError) return { failure: failureOf(error) };
    throw error;
  }
}

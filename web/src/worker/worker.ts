/** The worker: it holds the disk, and answers the page. Only here are images read. */
import { Refused } from '../../../src/errors.ts';
import { DecodersNeeded } from '../../../src/platform/browser/index.ts';
import type { CallName, Calls, FromWorker, ToWorker } from '../protocol.ts';
import { changes } from './changes.ts';
import { download } from './download.ts';
import { run } from './driver.ts';
import { checkName, inject, upload, writeText } from './edits.ts';
import { failureOf } from './failure.ts';
import { briefs, details, list, read, search } from './files.ts';
import { forget, keep, kept, keyOf, restore } from './kept.ts';
import { codecs, OpenDisk } from './open-disk.ts';
import { overviewOf, packagesOf } from './overview.ts';
import { type Origin, PROGRAM_WORKER, type ProgramTask, runProgram } from './program.ts';
import { save } from './save.ts';
import type { PageShell } from './shell.ts';
import { mayNeedDecoders, sourcesOfFiles, sourcesOfUrl, traffic } from './sources.ts';

interface Context<P> {
  part(value: P): void;
  readonly signal: AbortSignal;
}

type Answer<R> = [R] extends [undefined] ? Promise<void> : Promise<R>;

type Answers = {
  readonly [N in CallName]: (args: Calls[N]['args'], context: Context<Calls[N]['part']>) => Answer<Calls[N]['result']>;
};

let opened: OpenDisk | undefined;
let key = '';
let origin: Origin = { files: [], url: undefined };
let shell: PageShell | undefined;

function disk(): OpenDisk {
  if (opened === undefined) throw new Refused('no image is open');
  return opened;
}

async function shellOf(open: OpenDisk): Promise<PageShell> {
  const handle = await open.alone(() => open.editable());
  shell ??= new (await import('./shell.ts')).PageShell(handle, open.image.source.name);
  return shell;
}

/** The bundled images, as files. */
async function demoFiles(demo: readonly (readonly [string, string])[]): Promise<File[]> {
  return await Promise.all(
    demo.map(async ([name, url]) => {
      const response = await fetch(url);
      if (!response.ok) throw new Refused(`the demo could not be fetched: the server answered ${response.status}`);
      return new File([await response.blob()], name, { lastModified: 0 });
    }),
  );
}

const ANSWERS: Answers = {
  async open({ files, url, demo }, { signal }) {
    const before = opened;
    opened = undefined;
    shell = undefined;
    await before?.close();
    traffic.read = 0;
    traffic.requests = 0;
    const chosen = demo === undefined ? files : await demoFiles(demo);
    key = await keyOf(chosen, url);
    origin = { files: chosen, url };
    const sources = url === undefined ? await sourcesOfFiles(chosen) : await sourcesOfUrl(url);
    if (await mayNeedDecoders(sources.top)) await codecs.load();
    opened = await OpenDisk.open(sources, url !== undefined, signal);
    return opened.describe();
  },
  async mount({ root }, { signal }) {
    await disk().alone(() => disk().show(root, signal));
    return disk().describe();
  },
  overview: (_, { signal }) => run(overviewOf(disk().view), signal),
  packages: ({ root }, { signal }) => run(packagesOf(disk().view, root), signal),
  list: ({ path }, { part, signal }) => list(disk().tree, path, part, signal),
  briefs: ({ folder, names }, { signal }) => run(briefs(disk().tree, folder, names), signal),
  details: ({ path }, { signal }) => run(details(disk().tree, path, disk().handle !== undefined), signal),
  read: ({ path, offset, length }, { signal }) => run(read(disk().tree, path, offset, length), signal),
  search: ({ text, from }, { part, signal }) => search(disk().tree, from, text, part, signal),
  changes: (_, { part, signal }) => changes(disk(), part, signal),
  mkdir: async ({ path }) => {
    checkName(path.slice(path.lastIndexOf('/') + 1));
    await disk().change((tree) => tree.mkdir(path));
  },
  rename: async ({ from, to }) => {
    checkName(to.slice(to.lastIndexOf('/') + 1));
    await disk().change((tree) => tree.rename(from, to));
  },
  remove: ({ path }) => disk().change((tree) => tree.rm(path, { recursive: true })),
  chmod: ({ path, mode }) => disk().change((tree) => tree.chmod(path, mode)),
  write: ({ path, text, encoding }) => disk().change((tree) => writeText(tree, path, text, encoding)),
  upload: ({ folder, files }, { part }) => disk().change((tree) => upload(tree, folder, files, part)),
  inject: async (injection) => {
    await inject((body) => disk().change(body), injection);
    return { problems: [] };
  },
  discard: async () => {
    await disk().alone(() => disk().discard());
    shell = undefined;
    return disk().describe();
  },
  save: (args, { part, signal }) => disk().alone(() => save(disk(), args, part, signal)),
  download: (args, { part, signal }) => download(disk().tree, args, part, signal),
  shell: async ({ line }, { part, signal }) => {
    const open = disk();
    const page = await shellOf(open);
    return await open.alone(() => page.line(line, (text, error) => part({ text, error }), signal));
  },
  complete: async ({ line }) => (await shellOf(disk())).complete(line),
  program: async (args, { part, signal }) => {
    const open = disk();
    return await open.alone(async () => {
      const { handle } = open;
      try {
        return await runProgram(open, origin, args, part, signal);
      } finally {
        if (open.handle !== handle) shell = undefined;
      }
    });
  },
  kept: () => kept(key),
  keep: () => disk().alone(() => keep(key, disk())),
  restore: async () => {
    await disk().alone(() => restore(key, disk()));
    shell = undefined;
  },
  forget: () => forget(key),
  statistics: async () => ({ ...traffic, changed: opened?.overlay?.storedBytes ?? 0 }),
};

const running = new Map<number, AbortController>();

function send(message: FromWorker): void {
  self.postMessage(message);
}

async function answer(data: ToWorker): Promise<void> {
  if ('cancel' in data) {
    running.get(data.cancel)?.abort();
    return;
  }
  const { id, name, args } = data;
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const perform = ANSWERS[name] as (args: unknown, context: Context<unknown>) => Promise<unknown>;
    const context = { part: (part: unknown) => send({ id, part }), signal: controller.signal };
    const value = await perform(args, context).catch(async (error: unknown) => {
      if (!(error instanceof DecodersNeeded)) throw error;
      await codecs.load();
      return await perform(args, context);
    });
    send({ id, value });
  } catch (error) {
    send({ id, failure: failureOf(error) });
  } finally {
    running.delete(id);
  }
}

self.onmessage =
  self.name === PROGRAM_WORKER
    ? async ({ data }: MessageEvent<ProgramTask>) => (await import('./program-worker.ts')).serveProgram(data)
    : ({ data }: MessageEvent<ToWorker>) => void answer(data);

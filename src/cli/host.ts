/** The host of the command line: files, standard streams, checksums of Node.js. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/index.ts';
import type { Host, HostFolder, HostStat, NewFile, OpenOptions, ProgramOptions, Saving } from '../commands/host.ts';
import type { Invocation } from '../commands/invocation.ts';
import { Unsupported } from '../errors.ts';
import type { Timestamp } from '../filesystem/filesystem.ts';
import type { HashFactory } from '../guest/checksum.ts';
import type { EditableTree } from '../guest/edit.ts';
import { denyGate } from '../image/gate.ts';
import type { Image } from '../image/image.ts';
import { openImage } from '../image/open.ts';
import { type Effect, type Io, perform } from '../io/effect.ts';
import type { ByteSource, WritableSource } from '../io/source.ts';
import { isAddress, openAddress } from '../library/address.ts';
import { FolderGate } from '../library/folder-gate.ts';
import { commitPending, recover, refuseInUse } from '../overlay/journal.ts';
import { INTERRUPTED } from '../overlay/write-back.ts';
import { clock } from '../platform/node/clock.ts';
import { nodeCodecs } from '../platform/node/codecs.ts';
import { commitHost, hasJournal } from '../platform/node/commit.ts';
import { FileSource, posixError } from '../platform/node/file.ts';
import { openTemporary } from '../platform/node/temporary.ts';
import { copyWithThreads } from './copy-threads.ts';
import { hostNames, hostStat, readHostFile, readPiece } from './host-files.ts';
import { NodeFolder } from './host-folder.ts';
import { createNewFile } from './new-file.ts';
import { say } from './output.ts';
import { Progress } from './progress.ts';
import { prepareSave } from './save.ts';
import { servePage } from './web.ts';

const PAUSE_EVERY_MS = 20;

/** Does at once what an effect describes. */
function now<T>(action: () => T): Io<T> {
  return perform<T>({ sync: action, async: async () => action() });
}

export class NodeHost implements Host {
  readonly codecs: Codecs = nodeCodecs;
  readonly mayChangeOwner: boolean = process.geteuid?.() === 0;
  readonly #allowed: readonly string[];
  readonly #open: { close(): void }[] = [];
  readonly #progress = new Progress();
  #paused = Date.now();
  readonly #pause: Effect<void> = {
    sync: () => {},
    async: async () => {
      if (Date.now() - this.#paused < PAUSE_EVERY_MS) return;
      await new Promise((resolve) => setImmediate(resolve));
      this.#paused = Date.now();
    },
  };

  constructor(invocation: Invocation) {
    this.#allowed = invocation.values('--allow-backing');
  }

  *openImage(name: string, options: OpenOptions): Io<Image> {
    const source = yield* this.openFile(name);
    if (!isAddress(name) && hasJournal(name) && (yield* commitPending(commitHost(name)))) this.warn(`${name}: ${INTERRUPTED}`);
    const gate = isAddress(name) ? denyGate : new FolderGate(name, this.#allowed).open;
    const image = yield* openImage(source, { ...options, gate, codecs: nodeCodecs, scratch: () => now(openTemporary) });
    this.#open.push(image);
    return image;
  }

  *openFile(name: string): Io<ByteSource> {
    const source = isAddress(name) ? yield* openAddress(name) : yield* now(() => FileSource.open(name));
    this.#open.push({ close: () => source.close?.() });
    return source;
  }

  *openForWriting(name: string): Io<WritableSource> {
    const host = yield* now(() => commitHost(name));
    yield* recover(host);
    yield* refuseInUse(host);
    const source = yield* now(() => FileSource.open(name, { writable: true }));
    this.#open.push(source);
    return source;
  }

  openFolder(name: string): Io<HostFolder> {
    return now(() => new NodeFolder(name, this.mayChangeOwner));
  }

  createFile(name: string): Io<NewFile> {
    return now(() => createNewFile(name));
  }

  stat(name: string): Io<HostStat> {
    return now(() => hostStat(name));
  }

  names(name: string): Io<readonly string[]> {
    return now(() => hostNames(name));
  }

  openTemporary(): WritableSource {
    return openTemporary();
  }

  prepareSave(image: string, target: string | undefined): Io<Saving> {
    if (isAddress(image))
      throw new Unsupported('writing over the network', 'changes of an image on the network cannot be saved; copy it first', { image });
    return prepareSave(image, target, this);
  }

  readFile(name: string, limit: number): Io<Bytes> {
    return now(() => readHostFile(name, limit));
  }

  readInput(): Io<Bytes | undefined> {
    return now(readStandardInput);
  }

  random(length: number): Bytes {
    return process.getBuiltinModule('node:crypto').randomBytes(length);
  }

  /** Set for the one command that runs programs: others need not load what it takes. */
  runProgram?: (tree: EditableTree, program: Bytes, options: ProgramOptions) => number;

  servePage(port: number, ready: (address: string) => Io<void>): Io<void> {
    return servePage(path.join(this.installation().folder, 'dist/web'), port, ready);
  }

  installation(): { readonly folder: string; readonly hasQemuImg: boolean } {
    const tool = fs.realpathSync(process.argv[1] ?? '.');
    const folders = (process.env['PATH'] ?? '').split(path.delimiter);
    return {
      folder: path.resolve(path.dirname(tool), '../..'),
      hasQemuImg: folders.some((folder) => fs.existsSync(path.join(folder, 'qemu-img'))),
    };
  }

  readonly hashes: HashFactory = (algorithm) => process.getBuiltinModule('node:crypto').createHash(algorithm);

  now(): Timestamp {
    return clock();
  }

  warn(message: string): void {
    this.#progress.clear();
    say(`guestless: warning: ${message}`);
  }

  pause(): Io<void> {
    return perform(this.#pause);
  }

  copyWithThreads(image: Image, target: WritableSource, unit: number): Io<boolean> {
    return copyWithThreads(image, target, unit, (done, total) => this.progress(done, total));
  }

  progress(done: number, total?: number): void {
    this.#progress.show(done, total);
  }

  close(): void {
    this.#progress.clear();
    for (const one of this.#open.reverse()) one.close();
  }
}

function readStandardInput(): Bytes | undefined {
  try {
    return readPiece(0);
  } catch (error) {
    throw posixError(error, 'standard input');
  }
}

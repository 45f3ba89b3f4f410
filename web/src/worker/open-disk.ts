/** The disk that is open: read from the image until the first change, from then on through a handle with its overlay. */

import { Handle, type HandleHost } from '../../../src/commands/verbs/handle.ts';
import { GuestlessError, Refused } from '../../../src/errors.ts';
import type { Timestamp } from '../../../src/filesystem/filesystem.ts';
import { type MountPoint, mountAll } from '../../../src/guest/choose-mounts.ts';
import { Disk } from '../../../src/guest/disk.ts';
import { EditableTree } from '../../../src/guest/edit.ts';
import { portableHashes } from '../../../src/guest/hashes.ts';
import { findSystems, type SystemRoot } from '../../../src/guest/inspect/systems.ts';
import type { GuestTree } from '../../../src/guest/tree.ts';
import { chainOf, type Image } from '../../../src/image/image.ts';
import { openImage } from '../../../src/image/open.ts';
import { type Io, perform } from '../../../src/io/effect.ts';
import type { WritableSource } from '../../../src/io/source.ts';
import type { OverlayDevice } from '../../../src/overlay/overlay.ts';
import {
  browserCodecsOnDemand,
  hasOpfs,
  makeTemporaryFile,
  PiecesSource,
  type TemporaryFile,
} from '../../../src/platform/browser/index.ts';
import type { Layer, Opened, Root } from '../protocol.ts';
import { run } from './driver.ts';
import type { Sources } from './sources.ts';

/** Bytes that are kept in memory where the browser has no files of its own for the page. */
const MEMORY_LIMIT: number = 1 << 30;

export const codecs: ReturnType<typeof browserCodecsOnDemand> = browserCodecsOnDemand();

export class OpenDisk {
  readonly image: Image;
  readonly remote: boolean;
  readonly warnings: string[];
  /** The disk as the image has it, never changed. */
  readonly base: Disk;
  #baseTree = new EditableTree();
  #points: readonly MountPoint[] = [];
  #root: string | undefined;
  #roots: readonly (Root & { readonly points: readonly MountPoint[] })[] = [];
  #handle: Handle | undefined;
  #temporary: TemporaryFile | undefined;
  /** One change or one export at a time. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(image: Image, remote: boolean) {
    this.image = image;
    this.remote = remote;
    this.base = new Disk([image], { codecs: codecs.codecs });
    this.warnings = chainOf(image).flatMap((layer) => layer.warnings.map((warning) => `${layer.source.name}: ${warning.message}`));
  }

  static async open(sources: Sources, remote: boolean, signal: AbortSignal): Promise<OpenDisk> {
    const io = openImage(sources.top, {
      codecs: codecs.codecs,
      gate: function* (reference) {
        return yield* sources.gate(reference);
      },
      scratch: () => perform<WritableSource>({ waits: true, sync: wontWait, async: temporarySource }),
    });
    const image = await run(io, signal);
    const disk = new OpenDisk(image, remote);
    await disk.#findRoots(signal);
    return disk;
  }

  /** The operating systems, and the file systems. */
  async #findRoots(signal: AbortSignal): Promise<void> {
    const roots: (Root & { points: MountPoint[] })[] = [];
    const skip = ({ device, error }: { device: string; error: GuestlessError }): void =>
      void this.warnings.push(`${device}: ${error.message}`);
    const systems: SystemRoot[] = await run(findSystems(this.base, skip), signal);
    for (const system of systems) {
      const points = system.mounts.flatMap(({ device, path }) => (device === undefined ? [] : [{ device, at: path, wanted: false }]));
      roots.push({ id: `os:${system.root}`, label: `Operating system on ${system.root}`, points });
    }
    const devices = await this.#readable(signal);
    for (const [device, type] of devices) {
      roots.push({ id: `fs:${device}`, label: `${device} alone (${type})`, points: [{ device, at: '/', wanted: true }] });
    }
    this.#roots = roots;
    for (const root of roots) {
      try {
        return await this.show(root.id, signal);
      } catch (error) {
        if (!(error instanceof GuestlessError)) throw error;
        if (!this.warnings.some((warning) => warning.endsWith(error.message))) this.warnings.push(`${root.label}: ${error.message}`);
      }
    }
  }

  async #readable(signal: AbortSignal): Promise<[string, string][]> {
    const found: [string, string][] = [];
    try {
      const devices = await run(this.base.devices(), signal);
      const partitioned = new Set(devices.filter((one) => one.kind === 'partition').map((one) => one.drive));
      for (const { name, kind, drive, partition } of devices) {
        if (kind === 'drive' ? partitioned.has(drive) : partition?.kind === 'extended') continue;
        const signature = await run(this.base.identify(name), signal);
        if (signature?.usage === 'filesystem') found.push([name, signature.type]);
      }
    } catch (error) {
      if (!(error instanceof GuestlessError)) throw error;
      this.warnings.push(error.message);
    }
    return found;
  }

  /** Shows another root. */
  async show(id: string, signal?: AbortSignal): Promise<void> {
    const root = this.#roots.find((one) => one.id === id);
    if (root === undefined) throw new Refused(`there is nothing called ${id} on this disk`);
    const tree = new EditableTree();
    await run(
      mountAll(tree, this.base, root.points, (message) => void (this.warnings.includes(message) || this.warnings.push(message))),
      signal,
    );
    this.#baseTree = tree;
    this.#points = root.points;
    this.#root = id;
    if (this.#handle !== undefined) await this.#mountAgain(this.#handle);
  }

  /** What is shown: with the changes. */
  get tree(): GuestTree {
    const tree = this.#handle?.tree ?? this.#baseTree;
    if (tree.mounts.length === 0) throw new Refused('no file system is mounted; choose one, or mount one in the shell');
    return tree;
  }

  /** The same as the image has it. */
  get baseTree(): GuestTree {
    return this.#baseTree;
  }

  get handle(): Handle | undefined {
    return this.#handle;
  }

  get overlay(): OverlayDevice | undefined {
    return this.#handle?.drives[0]?.overlay;
  }

  /** The disk with the changes, for looking. */
  get view(): Disk {
    return this.overlay?.changed === true ? (this.#handle as Handle).view() : this.base;
  }

  /** Begins to take changes: they gather in an overlay. */
  async editable(): Promise<Handle> {
    if (this.#handle !== undefined) return this.#handle;
    this.#temporary = hasOpfs() ? await makeTemporaryFile().catch(() => undefined) : undefined;
    const temporary = this.#temporary?.source ?? new PiecesSource(MEMORY_LIMIT);
    const host: HandleHost = {
      codecs: codecs.codecs,
      hashes: portableHashes,
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
      now: clock,
      temporary: () => temporary,
      machine: 'x86_64',
      warn: (message) => void (this.warnings.includes(message) || this.warnings.push(message)),
    };
    const handle = new Handle(host, [{ image: this.image, readOnly: true }]);
    await this.#mountAgain(handle);
    this.#handle = handle;
    return handle;
  }

  /** The tree for changing. */
  async editableTree(): Promise<EditableTree> {
    const { tree } = await this.editable();
    if (tree.mounts.length === 0) throw new Refused('no file system is mounted; choose one, or mount one in the shell');
    return tree;
  }

  async #mountAgain(handle: Handle): Promise<void> {
    await run(handle.unmountAll());
    const points = [...this.#points].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    for (const { device, at } of points) {
      try {
        await run(handle.mount(device, at));
      } catch (error) {
        if (at === '/' || !(error instanceof GuestlessError)) throw error;
      }
    }
  }

  /** One at a time, in the order of asking. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work, work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** A change of the tree. */
  change<T>(body: (tree: EditableTree) => Io<T>): Promise<T> {
    return this.alone(async () => await run(body(await this.editableTree())));
  }

  /** Forgets all changes. */
  async discard(): Promise<void> {
    this.#handle?.close();
    this.#handle = undefined;
    await this.#temporary?.abandon();
    this.#temporary = undefined;
  }

  async close(): Promise<void> {
    await this.discard();
    this.image.close();
  }

  describe(): Opened {
    return {
      name: this.image.source.name,
      remote: this.remote,
      size: this.image.size,
      layers: chainOf(this.image).map(layer),
      warnings: this.warnings,
      roots: this.#roots.map(({ id, label }) => ({ id, label })),
      ...(this.#root === undefined ? {} : { root: this.#root }),
    };
  }
}

function wontWait(): never {
  throw new Refused('this has to be waited for');
}

async function temporarySource(): Promise<WritableSource> {
  try {
    return (await makeTemporaryFile()).source;
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    return new PiecesSource(MEMORY_LIMIT);
  }
}

export function clock(): Timestamp {
  const milliseconds = Date.now();
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanoseconds: (milliseconds - seconds * 1000) * 1_000_000 };
}

function layer(image: Image): Layer {
  const facts: [string, string][] = [];
  const header = image.metadata?.header;
  if (header !== undefined) {
    facts.push(['Version', String(header.version)], ['Cluster size', `${header.clusterSize / 1024} KiB`]);
    if (header.backing !== undefined) facts.push(['Backing file', header.backing.name]);
    const snapshots = image.metadata?.snapshots.length ?? 0;
    if (snapshots > 0) facts.push(['Snapshots', String(snapshots)]);
    if (header.dirty) facts.push(['State', 'was not closed cleanly']);
  }
  if (image.unpacked === true) facts.push(['Container', 'compressed as a whole']);
  return { name: image.source.name, format: image.format, fileSize: image.source.size, virtualSize: image.size, facts };
}

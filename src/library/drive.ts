/** Image files of the host as drives of a {@link Handle}. */
import type { DriveOptions, HandleHost } from '../commands/verbs/handle.ts';
import { Unsupported } from '../errors.ts';
import type { Gate } from '../image/gate.ts';
import { resolveReference } from '../image/gate.ts';
import type { Image } from '../image/image.ts';
import { openImage } from '../image/open.ts';
import { type Io, perform } from '../io/effect.ts';
import { Flush, type WritableSource, Write } from '../io/source.ts';
import type { OverlayDevice } from '../overlay/overlay.ts';
import { WriteBack } from '../overlay/write-back.ts';
import { clock } from '../platform/node/clock.ts';
import { nodeCodecs } from '../platform/node/codecs.ts';
import { commitHost } from '../platform/node/commit.ts';
import { openTemporary } from '../platform/node/temporary.ts';
import { isAddress, openAddress } from './address.ts';
import { FolderGate } from './folder-gate.ts';
import { ImageForWriting } from './image-for-writing.ts';
import { now, openImageFile } from './open-image.ts';

export interface DriveFile {
  readonly file: string;
  /** Probed by magic when absent. */
  readonly format?: string;
  readonly readOnly: boolean;
  readonly label?: string;
  readonly blockSize?: number;
  /** Files that the image names are opened in the folder of each image of the chain and below; further folders and files that are trusted. */
  readonly allow?: readonly string[];
  /** The image is locked by this process already, so that locks that are seen are its own. */
  readonly locked?: boolean;
  /** The file is an overlay that was made for this one use: the file behind it is the one that the user named. */
  readonly overlay?: boolean;
}

/**
 * Opens a file as a drive. A commit into it that was interrupted is finished first, unless the drive is read-only. Throws Posix (ENOENT, ...),
 * Refused, Unsupported, Corrupt.
 */
export function* openDrive(drive: DriveFile): Io<DriveOptions> {
  const { file, format, readOnly, label, blockSize } = drive;
  if (isAddress(file)) return yield* openNetworkDrive(drive);
  const back = readOnly
    ? undefined
    : yield* WriteBack.prepare(yield* now(() => commitHost(file, { locked: drive.locked === true })), {
        codecs: nodeCodecs,
        temporary: () => openTemporary(),
      });
  const open = (): Io<Image> => openImageFile(file, { gate: chainGate(file, drive), ...(format === undefined ? {} : { format }) });
  const image = yield* open();
  const common = {
    readOnly,
    ...(label === undefined ? {} : { label }),
    ...(blockSize === undefined ? {} : { blockSize }),
  };
  if (back === undefined) return { image, ...common };
  back.check(image);
  const disk = new ImageForWriting(image, open, back);
  return { image: disk, ...common, save: (overlay) => disk.commit(overlay) };
}

/** A drive on the network. Changes are written where they belong, without a journal. */
function* openNetworkDrive({ file, format, readOnly, label, blockSize }: DriveFile): Io<DriveOptions> {
  const source = yield* openAddress(file);
  const image = yield* openImage(source, { codecs: nodeCodecs, ...(format === undefined ? {} : { format }) });
  if (!readOnly && (source.writeAsync === undefined || image.format !== 'raw')) {
    throw new Unsupported('writing over the network', `changes cannot be written into this ${image.format} image; add it read-only`, {
      image: file,
    });
  }
  return {
    image,
    readOnly,
    ...(label === undefined ? {} : { label }),
    ...(blockSize === undefined ? {} : { blockSize }),
    ...(readOnly ? {} : { save: (overlay) => writeThrough(overlay, source) }),
  };
}

/** Bytes written over the network at once. */
const PIECE = 1 << 20;

function* writeThrough(overlay: OverlayDevice, target: WritableSource): Io<void> {
  for (const { offset, length } of overlay.changes()) {
    for (let done = 0; done < length; done += PIECE) {
      const part = Math.min(PIECE, length - done);
      yield* perform(new Write(target, offset + done, yield* overlay.read(offset + done, part)));
    }
  }
  yield* perform(new Flush(target));
  overlay.discardAll();
}

/** The gate of a drive's chain. What stands behind an overlay that was made for this one use is the file that the user named. */
function chainGate(top: string, { allow = [], overlay = false }: DriveFile): Gate {
  const gate = new FolderGate(top, allow, 'GUESTLESS_ALLOW_BACKING=');
  return function* (reference) {
    if (overlay && reference.depth === 1) {
      if (isAddress(reference.name)) return yield* openAddress(reference.name);
      const { path } = resolveReference(reference);
      yield* now(() => gate.admitFolderOf(path));
    }
    return yield* gate.open(reference);
  };
}

/** Files and folders that GUESTLESS_ALLOW_BACKING names, between colons. */
export function allowedByEnvironment(environment: NodeJS.ProcessEnv = process.env): readonly string[] {
  return (environment['GUESTLESS_ALLOW_BACKING'] ?? '').split(':').filter((name) => name.startsWith('/'));
}

/** What a handle needs, as Node.js has it. */
export function nodeHandleHost(warn: (message: string) => void): HandleHost {
  return {
    codecs: nodeCodecs,
    hashes: (algorithm) => process.getBuiltinModule('node:crypto').createHash(algorithm),
    random: (length) => process.getBuiltinModule('node:crypto').randomBytes(length),
    now: clock,
    temporary: () => openTemporary(),
    machine: process.arch === 'arm64' ? 'aarch64' : process.arch === 'x64' ? 'x86_64' : process.arch,
    warn,
  };
}

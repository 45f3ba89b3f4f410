/** Which files an image may name as its backing or data file. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeName } from '../bytes/text.ts';
import { Posix, Refused } from '../errors.ts';
import { type Gate, type Reference, resolveReference } from '../image/gate.ts';
import { type Io, perform } from '../io/effect.ts';
import type { ByteSource } from '../io/source.ts';
import { FileSource, hostPath, posixError } from '../platform/node/file.ts';

/**
 * The gate of the doors on this host: plain files, in the folder of an image of the chain or below it, wherever symbolic links lead; and what
 * the user allows. Anything else an image names is refused, as it could be any file of the host.
 */
export class FolderGate {
  readonly #folders: string[];
  readonly #allowWith: string;

  /** `image` is the top image; `allowed` are further files and folders; `allowWith` is how the user allows more, the name goes behind it. */
  constructor(image: string, allowed: readonly string[], allowWith = '--allow-backing ') {
    this.#allowWith = allowWith;
    this.#folders = [path.dirname(realpath(image)), ...allowed.map((name) => realpath(name))];
  }

  /** Admits the folder of a file, by its name on the host. */
  admitFolderOf(name: string): void {
    this.#folders.push(path.dirname(realpath(name)));
  }

  readonly open: Gate = (reference) => this.#open(reference);

  *#open(reference: Reference): Io<ByteSource> {
    return yield* perform<ByteSource>({ sync: () => this.#openNow(reference), async: async () => this.#openNow(reference) });
  }

  #openNow(reference: Reference): ByteSource {
    const { kind, from } = reference;
    const what = `the ${kind} file '${reference.name}'`;
    const named = resolveReference(reference).path;
    const real = realpath(path.resolve(named), what, from.name);
    if (!this.#folders.some((folder) => real === folder || real.startsWith(folder.endsWith('/') ? folder : `${folder}/`))) {
      throw new Refused(`${what} lies outside of the image's folder; if you trust the image, allow it with ${this.#allowWith}${real}`, {
        image: from.name,
      });
    }
    return FileSource.open(real, { name: named });
  }
}

/** The path free of symbolic links. */
function realpath(name: string, what?: string, image?: string): string {
  try {
    return decodeName(fs.realpathSync.native(hostPath(name), 'buffer'));
  } catch (error) {
    const ours = posixError(error, name);
    if (what === undefined || !(ours instanceof Posix)) throw ours;
    throw new Posix(ours.code, image === undefined ? {} : { image }, `${what} cannot be opened: ${ours.message}`);
  }
}

/** Temporary files without a name: nothing is left behind, however the process ends, and no other process can open them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { WritableSource } from '../../io/source.ts';
import { FileSource, posixError } from './file.ts';

/** open(2): an unnamed file in a directory; the bit that is O_DIRECTORY belongs to it. */
const O_TMPFILE = 0o20000000 | (fs.constants.O_DIRECTORY ?? 0);

/**
 * The directory for temporary files, by qemu's rule (get_tmp_filename in block.c): TMPDIR, else /tmp; where that is /tmp itself, which is
 * often memory, /var/tmp is used instead. Elsewhere than on Unix, what the system names.
 */
export function temporaryFolder(environment: NodeJS.ProcessEnv = process.env): string {
  if (process.platform === 'win32') return environment['TEMP'] ?? environment['TMP'] ?? 'C:\\Windows\\Temp';
  const folder = environment['TMPDIR'] || '/tmp';
  return folder === '/tmp' && fs.existsSync('/var/tmp') ? '/var/tmp' : folder;
}

/**
 * Opens a temporary file with mode 0600. On Linux it never has a name (O_TMPFILE); elsewhere, and on file systems that cannot do that,
 * it is created under a random name that must not exist, and unlinked at once. Throws Posix (ENOSPC, EACCES, ...).
 */
export function openTemporary(folder: string = temporaryFolder()): WritableSource {
  return new Unnamed(openUnnamed(folder), folder);
}

function openUnnamed(folder: string): number {
  if (process.platform === 'linux') {
    try {
      return fs.openSync(folder, fs.constants.O_RDWR | O_TMPFILE, 0o600);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      // EISDIR, EOPNOTSUPP: neither this kernel nor this file system knows unnamed files.
      if (code !== 'EISDIR' && code !== 'EOPNOTSUPP' && code !== 'ENOTSUP' && code !== 'EINVAL') throw posixError(error, folder);
    }
  }
  const name = path.join(folder, `guestless-${process.getBuiltinModule('node:crypto').randomBytes(12).toString('hex')}`);
  try {
    const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
    const descriptor = fs.openSync(name, O_RDWR | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), 0o600);
    try {
      fs.unlinkSync(name);
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
    return descriptor;
  } catch (error) {
    throw posixError(error, name);
  }
}

/** What is temporary need not be durable: flushing does nothing. */
class Unnamed implements WritableSource {
  readonly name: string;
  readonly preferredRequest: number;
  readonly #file: FileSource;

  constructor(descriptor: number, folder: string) {
    this.name = `temporary file in ${folder}`;
    this.#file = FileSource.adopt(this.name, descriptor, true);
    this.preferredRequest = this.#file.preferredRequest;
  }

  get size(): number {
    return this.#file.size;
  }

  readSync(offset: number, target: Uint8Array): number {
    return this.#file.readSync(offset, target);
  }

  writeSync(offset: number, bytes: Uint8Array): void {
    this.#file.writeSync(offset, bytes);
  }

  writePiecesSync(offset: number, pieces: readonly Uint8Array[]): void {
    this.#file.writePiecesSync(offset, pieces);
  }

  truncateSync(size: number): void {
    this.#file.truncateSync(size);
  }

  close(): void {
    this.#file.close();
  }
}

/** Images for tests: bundled fixtures unpacked once, private copies, and the proof that nobody touched them. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

export const FIXTURES: string = fileURLToPath(new URL('../../fixtures/', import.meta.url));

const scratch: string[] = [];

/** A new empty folder, removed after the last test of the file. */
export function scratchFolder(prefix = 'guestless-'): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), prefix));
  scratch.push(folder);
  return folder;
}

/** Removes the folders that were made; `cleaning.ts` calls it when a file of tests is over. */
export function removeScratchFolders(): void {
  for (const folder of scratch.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
}

let unpacked: string | undefined;

/**
 * The path of a bundled fixture such as `ext4/inline.img`, unpacked from `fixtures/ext4/inline.img.gz` where it is kept compressed.
 * The file is read-only: copy it with {@link privateCopy} to change it.
 */
export function fixture(name: string): string {
  const plain = path.join(FIXTURES, name);
  if (fs.existsSync(plain)) return plain;
  unpacked ??= scratchFolder('guestless-fixtures-');
  const target = path.join(unpacked, name);
  if (!fs.existsSync(target)) {
    fs.mkdirSync(path.dirname(target), { recursive: true });
    writeSparse(target, gunzipSync(fs.readFileSync(`${plain}.gz`)));
    fs.chmodSync(target, 0o444);
  }
  return target;
}

/** Writes bytes with holes where 4 KiB blocks are zero. */
export function writeSparse(file: string, bytes: Uint8Array): void {
  const descriptor = fs.openSync(file, 'w');
  const zero = Buffer.alloc(4096);
  for (let at = 0; at < bytes.length; at += 4096) {
    const block = bytes.subarray(at, at + 4096);
    if (Buffer.compare(block, zero.subarray(0, block.length)) !== 0) fs.writeSync(descriptor, block, 0, block.length, at);
  }
  fs.ftruncateSync(descriptor, bytes.length);
  fs.closeSync(descriptor);
}

/** A writable copy of a file in a folder of its own. */
export function privateCopy(file: string): string {
  const copy = path.join(scratchFolder(), path.basename(file));
  fs.copyFileSync(file, copy);
  fs.chmodSync(copy, 0o644);
  return copy;
}

/** SHA-256 of a file, in hexadecimal. */
export function sha256(file: string): string {
  const hash = createHash('sha256');
  const descriptor = fs.openSync(file, 'r');
  const chunk = Buffer.alloc(1 << 20);
  for (let got = fs.readSync(descriptor, chunk); got > 0; got = fs.readSync(descriptor, chunk)) hash.update(chunk.subarray(0, got));
  fs.closeSync(descriptor);
  return hash.digest('hex');
}

/** Runs `body` and fails if any of the files changed by a byte. */
export async function untouched<T>(files: readonly string[], body: () => T | Promise<T>): Promise<T> {
  const before = files.map(sha256);
  const result = await body();
  files.forEach((file, i) => {
    if (sha256(file) !== before[i]) throw new Error(`${file} was changed`);
  });
  return result;
}

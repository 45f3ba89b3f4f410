/** Opening the qcow2 fixtures with everything that belongs to them. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Gate, type Image, type OpenOptions, openImage, resolveReference } from '../../src/image/index.ts';
import { type BlockDevice, type Extent, runSync } from '../../src/io/index.ts';
import { FileSource, nodeCodecs } from '../../src/platform/node/index.ts';
import { FIXTURES, fixture } from '../support/images.ts';

/** Unpacks all qcow2 fixtures, as they refer to each other; their folder. */
export function qcow2Folder(): string {
  for (const name of fs.readdirSync(path.join(FIXTURES, 'qcow2'))) {
    if (name.endsWith('.gz') && name !== 'whole.gz') fixture(`qcow2/${name.slice(0, -3)}`);
  }
  return path.dirname(fixture('qcow2/v3.qcow2'));
}

/** Opens whatever is named, taking names that QEMU would take relative to the process as relative to the image's folder. */
// biome-ignore lint/correctness/useYield: files open without waiting
export const openGate: Gate = function* (reference) {
  const { path: file } = resolveReference(reference);
  return FileSource.open(path.resolve(path.dirname(reference.from.name), file));
};

export function open(file: string, options: Partial<OpenOptions> = {}): Image {
  return runSync(openImage(FileSource.open(file), { codecs: nodeCodecs, gate: openGate, ...options }));
}

/** SHA-256 of a whole disk, read in pieces of the given size. */
export function digest(device: BlockDevice, piece = 1 << 20): string {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(piece);
  for (let offset = 0; offset < device.size; offset += piece) {
    const part = buffer.subarray(0, Math.min(piece, device.size - offset));
    runSync(device.readInto(offset, part));
    hash.update(part);
  }
  return hash.digest('hex');
}

/** An entry of `qemu-img map --output=json` of version 7.2. */
export interface MapEntry {
  start: number;
  length: number;
  depth: number;
  present: boolean;
  zero: boolean;
  data: boolean;
  offset?: number;
}

/** The map of a whole disk, joined as qemu-img joins it. */
export function mapOf(device: BlockDevice): MapEntry[] {
  const entries: MapEntry[] = [];
  for (let start = 0; start < device.size; ) {
    const extent: Extent = runSync(device.map(start, device.size - start));
    const { length, depth, present, zero, data, offset } = extent;
    const last = entries.at(-1);
    if (
      last !== undefined &&
      last.depth === depth &&
      last.present === present &&
      last.zero === zero &&
      last.data === data &&
      (last.offset === undefined ? offset === undefined : last.offset + last.length === offset)
    ) {
      last.length += length;
    } else entries.push({ start, length, depth, present, zero, data, ...(offset === undefined ? {} : { offset }) });
    start += length;
  }
  return entries;
}

/** Bytes and files as something to be described. */
import * as fs from 'node:fs';
import { runSync } from '../../src/io/drivers.ts';
import { type DescribeOptions, describeFile, fileArchitecture, type MagicSource } from '../../src/magic/index.ts';
import { nodeCodecs } from '../../src/platform/node/codecs.ts';

export function sourceOf(bytes: Uint8Array): MagicSource {
  return {
    size: bytes.length,
    // biome-ignore lint/correctness/useYield: a reader that has all at hand
    *read(offset, length) {
      return bytes.slice(offset, offset + length);
    },
  };
}

export function describeBytes(bytes: Uint8Array, options: DescribeOptions = {}): string {
  return runSync(describeFile(sourceOf(bytes), { stream: nodeCodecs.stream, ...options }));
}

export const describePath = (file: string): string =>
  describeBytes(new Uint8Array(fs.readFileSync(file)), { mode: fs.statSync(file).mode });

export const architectureOf = (bytes: Uint8Array): string => runSync(fileArchitecture(sourceOf(bytes), nodeCodecs.stream));

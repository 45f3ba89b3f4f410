/** `guestless wasi` takes the options that say how an image is opened, as every other command. */
import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import { guestless } from '../cli/run.ts';
import { scratchFolder } from '../support/images.ts';
import { must } from '../support/oracle.ts';
import { buildModule } from './module.ts';

test('--checksums ignore opens a file system of which the superblock has a wrong checksum', () => {
  const folder = scratchFolder();
  const image = `${folder}/disk.img`;
  fs.writeFileSync(image, '');
  fs.truncateSync(image, 8 << 20);
  must('mke2fs', '-q', '-F', '-t', 'ext4', '-E', 'nodiscard', image);
  const bytes = fs.readFileSync(image);
  // s_checksum of the primary superblock; small file systems have no copy.
  bytes[1024 + 0x3fc] = (bytes[1024 + 0x3fc] as number) ^ 0xff;
  fs.writeFileSync(image, bytes);
  const program = `${folder}/nothing.wasm`;
  fs.writeFileSync(program, buildModule({ code: [] }));
  expect(guestless(['wasi', '-m', '/dev/sda', image, program]).status).toBe(4);
  expect(guestless(['wasi', '-m', '/dev/sda', '--checksums', 'ignore', image, program]).status).toBe(0);
  expect(fs.readFileSync(image).equals(bytes)).toBe(true);
});

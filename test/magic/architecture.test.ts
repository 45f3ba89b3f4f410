/** Architectures by the names that libguestfs documents; programs are small headers, as only those are looked at. */
import * as fs from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { scratchFolder } from '../support/images.ts';
import { must, run } from '../support/oracle.ts';
import { architectureOf } from './workbench.ts';

function elf(bits: 32 | 64, little: boolean, machine: number): Uint8Array {
  const bytes = new Uint8Array(bits === 64 ? 64 : 52);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits / 32, little ? 1 : 2, 1]);
  const view = new DataView(bytes.buffer);
  view.setUint16(16, 2, little);
  view.setUint16(18, machine, little);
  return bytes;
}

test.each([
  ['x86_64', 64, true, 62],
  ['i386', 32, true, 3],
  ['arm', 32, true, 40],
  ['aarch64', 64, true, 183],
  ['ppc64', 64, false, 21],
  ['ppc64le', 64, true, 21],
  ['ppc', 32, false, 20],
  ['s390x', 64, false, 22],
  ['riscv64', 64, true, 243],
  ['sparc', 32, false, 18],
  ['sparc64', 64, false, 43],
  ['ia64', 64, true, 50],
  ['loongarch64', 64, true, 258],
] as const)('%s', (name, bits, little, machine) => {
  expect(architectureOf(elf(bits, little, machine))).toBe(name);
  expect(architectureOf(new Uint8Array(gzipSync(elf(bits, little, machine))))).toBe(name);
});

test('what has none is EINVAL', () => {
  for (const bytes of [new Uint8Array(0), new TextEncoder().encode('text\n'), elf(64, true, 9999)]) {
    expect(() => architectureOf(bytes)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  }
});

test('an initrd has the architecture of its programs, behind microcode and however it is compressed', () => {
  const folder = scratchFolder();
  fs.mkdirSync(`${folder}/early/kernel`, { recursive: true });
  fs.writeFileSync(`${folder}/early/kernel/microcode.bin`, 'microcode');
  fs.mkdirSync(`${folder}/main/usr/bin`, { recursive: true });
  fs.writeFileSync(`${folder}/main/init`, '#!/bin/sh\n');
  fs.writeFileSync(`${folder}/main/usr/bin/busybox`, elf(64, true, 183));
  const pack = (name: string): Buffer => run('sh', ['-c', `cd ${folder}/${name} && find . | cpio -o -H newc 2>/dev/null`]).stdout;
  const main = pack('main');
  expect(architectureOf(new Uint8Array(main))).toBe('aarch64');
  for (const tool of ['gzip', 'xz', 'bzip2', 'zstd']) {
    const packed = run(tool, ['-c'], main);
    expect(packed.status).toBe(0);
    expect(architectureOf(new Uint8Array(packed.stdout)), tool).toBe('aarch64');
    expect(architectureOf(new Uint8Array(Buffer.concat([pack('early'), packed.stdout]))), `microcode and ${tool}`).toBe('aarch64');
  }
});

test('this machine', () => {
  expect(architectureOf(new Uint8Array(fs.readFileSync('/bin/true')))).toBe(must('uname', '-m').trim());
});

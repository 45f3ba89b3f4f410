/** Files made by real tools are described as file(1) describes them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { scratchFolder } from '../support/images.ts';
import { must, run } from '../support/oracle.ts';
import { describeBytes, describePath } from './workbench.ts';

let folder = '';
const at = (name: string): string => path.join(folder, name);
const judged = (file: string): string => must('file', '-zb', file).replace(/\n$/, '');

beforeAll(() => {
  folder = scratchFolder('guestless-magic-');
  const texts: Readonly<Record<string, string | Uint8Array>> = {
    empty: '',
    one: 'x',
    'text.txt': 'plain text\n',
    'no-newline': 'plain text',
    crlf: 'a\r\nb\r\n',
    'mixed-ends': 'a\r\nb\nc\rd',
    escapes: 'a \x1b[1mb\x1b[0m\n',
    long: `${'word '.repeat(200)}\nshort\n`,
    utf8: 'Grüße aus 東京\n',
    bom: '\ufeffmarked\n',
    latin1: Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 0x0a),
    extended: Uint8Array.of(0x63, 0x61, 0x66, 0x82, 0x0a),
    utf16: Uint8Array.of(0xff, 0xfe, 0x68, 0, 0x69, 0, 0x0a, 0),
    binary: Uint8Array.of(1, 2, 3, 4, 250, 251, 252, 0, 0, 9),
    sh: '#!/bin/sh\necho hello\n',
    bash: '#! /bin/bash -e\necho hello\n',
    env: '#!/usr/bin/env python3\nprint(1)\n',
    perl: '#!/usr/bin/perl -w\nprint 1;\n',
    awk: '#!/usr/bin/awk -f\n{ print }\n',
    other: '#!/opt/tool/run --fast\nx\n',
    python: 'import os\n\ndef main(arguments):\n    return 0\n\nif __name__ == "__main__":\n    main([])\n',
    'from-import': 'from os import path\nx = 1\n',
    module: 'package My::Module;\nuse strict;\nsub new { return {}; }\n1;\n',
    c: '#include <stdio.h>\nint main(void) { return 0; }\n',
    makefile: 'all: x\n\techo\n',
    troff: '.\\" a comment\n.TH X 1\n',
    html: '<!DOCTYPE html>\n<html><head><title>x</title></head></html>\n',
    xml: '<?xml version="1.0" encoding="UTF-8"?>\n<a/>\n',
    svg: '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>\n',
    json: '{"a": [1, 2.5e3, true, null, "x\\n"]}\n',
    'json-lines': '{"a": 1}\n{"a": 2}\n',
    'not-json': '{"a": [1, 2,]}\n',
    csv: 'a,b,c\n1,2,3\n"x,y",2,3\n',
    diff: '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n',
    commit: 'commit 0123456789012345678901234567890123456789\nAuthor: x\n',
    'ssh.pub': 'ssh-rsa AAAAB3NzaC1yc2E me\n',
  };
  for (const [name, content] of Object.entries(texts)) fs.writeFileSync(at(name), content);
  fs.writeFileSync(at('setuid'), '#!/bin/sh\n');
  fs.chmodSync(at('setuid'), 0o4755);
  const shell = (script: string): void => void must('sh', '-ec', `cd '${folder}'; export LC_ALL=C TZ=UTC; ${script}`);
  shell(`
    gzip -nk9 text.txt; gzip -k -S .gz1 text.txt; xz -k text.txt; bzip2 -k text.txt
    tar --format=gnu -cf gnu.tar text.txt; tar --format=ustar -cf ustar.tar text.txt; tar --format=v7 -cf v7.tar text.txt; tar -czf both.tgz text.txt
    echo text.txt | cpio -o -H newc > newc.cpio 2> /dev/null; echo text.txt | cpio -o -H crc > crc.cpio 2> /dev/null
    echo text.txt | cpio -o -H odc > odc.cpio 2> /dev/null; ar rcs archive.a text.txt; 7z a archive.7z text.txt > /dev/null
    truncate -s 2M ext4.img; mke2fs -q -t ext4 -L label ext4.img; truncate -s 2M ext2.img; mke2fs -q -t ext2 ext2.img
    truncate -s 4M ext3.img; mke2fs -q -t ext3 ext3.img; truncate -s 2M fat12.img; mkfs.vfat -n LAB fat12.img > /dev/null
    truncate -s 40M fat32.img; mkfs.vfat -F 32 fat32.img > /dev/null 2>&1; truncate -s 1M swap.img; chmod 600 swap.img; mkswap -L sw swap.img > /dev/null
    truncate -s 4M gpt.img; sgdisk -n 1:2048: gpt.img > /dev/null; qemu-img create -q -f vdi disk.vdi 1M; qemu-img create -q -f vmdk disk.vmdk 1M
    openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=x -keyout key.pem -out cert.pem 2> /dev/null; openssl x509 -in cert.pem -outform der -out cert.der
    ssh-keygen -q -t ed25519 -N '' -f id 2> /dev/null || cp text.txt id
  `);
});

const NAMES =
  `empty one text.txt no-newline crlf mixed-ends escapes long utf8 bom latin1 extended utf16 binary sh bash env perl awk other python from-import
  module c makefile troff html xml svg json json-lines not-json csv diff commit ssh.pub setuid text.txt.gz text.txt.gz1 text.txt.xz text.txt.bz2 gnu.tar
  ustar.tar v7.tar both.tgz newc.cpio crc.cpio odc.cpio archive.a archive.7z ext4.img ext2.img ext3.img fat12.img fat32.img swap.img gpt.img disk.vdi
  disk.vmdk key.pem cert.pem cert.der id`
    .trim()
    .split(/\s+/);

test.each(NAMES)('%s', (name) => {
  expect(describePath(at(name))).toBe(judged(at(name)));
});

describe('what this machine has', () => {
  const programs = ['/bin/sh', '/bin/ls', '/usr/bin/python3', '/bin/mount', '/lib64/ld-linux-x86-64.so.2', process.execPath].filter(
    (file) => fs.existsSync(file),
  );
  test.each(programs.map((file) => fs.realpathSync(file)))('%s', (file) => {
    expect(describePath(file)).toBe(judged(file));
  });

  test('libraries, zones, catalogues, terminals', () => {
    const folders = [
      '/lib/x86_64-linux-gnu',
      '/usr/share/zoneinfo/Europe',
      '/usr/share/zoneinfo/Etc',
      '/lib/terminfo/x',
      '/etc',
      '/usr/share/locale/de/LC_MESSAGES',
    ];
    const files = folders
      .filter((one) => fs.existsSync(one))
      .flatMap((one) => fs.readdirSync(one).map((name) => path.join(one, name)))
      .filter((file) => fs.lstatSync(file).isFile() && fs.statSync(file).size < 4 << 20);
    expect(files.length).toBeGreaterThan(100);
    const answers = run('file', ['-zb', ...files])
      .stdout.toString()
      .split('\n');
    const wrong = files.filter((file, i) => describePath(file) !== answers[i]);
    // file(1) finds odd things in a few texts (Nim, HPGL, JavaScript): docs/magic.md.
    expect(wrong.length / files.length, wrong.join('\n')).toBeLessThan(0.03);
  });
});

test('without decoders the header alone is described', () => {
  const bytes = new Uint8Array(fs.readFileSync(at('text.txt.gz')));
  expect(describeBytes(bytes, { stream: undefined as never })).toBe('gzip compressed data, max compression, from Unix');
});

test('a compressed file whose contents are damaged is described by its header', () => {
  const bytes = new Uint8Array(fs.readFileSync(at('text.txt.bz2')));
  bytes.fill(0xff, 10);
  expect(describeBytes(bytes)).toBe('bzip2 compressed data, block size = 900k');
});

import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratchFolder } from '../support/images.ts';
import { must, run } from '../support/oracle.ts';
import { GUESTLESS, guestless } from './run.ts';

describe('files of the host whose names are no UTF-8', () => {
  test('are made, replaced and read, and nothing is left beside them', () => {
    const scratch = scratchFolder();
    must('truncate', '-s', '4M', path.join(scratch, 'disk.raw'));
    must('mke2fs', '-q', '-F', path.join(scratch, 'disk.raw'));
    must('debugfs', '-w', '-R', 'write /etc/hostname name', path.join(scratch, 'disk.raw'));
    const script = String.raw`
      set -e; cd "$1"; g=$2; b=$'\xff'
      "$g" img convert disk.raw "copy$b.raw"
      "$g" img convert disk.raw "copy$b.raw"
      cmp disk.raw "copy$b.raw"
      "$g" img create -f qcow2 -F raw -b "copy$b.raw" "over$b.qcow2"
      qemu-img check -q "over$b.qcow2"
      "$g" mkdir --overlay "new$b.qcow2" "copy$b.raw" /made
      "$g" mkdir --commit "over$b.qcow2" /too
      "$g" ls "over$b.qcow2"
      mkdir "folder$b"
      "$g" tar-out disk.raw / "folder$b/all$b.tar"
      "$g" copy-out disk.raw /name "folder$b"
      cmp /etc/hostname "folder$b/name"
      ls -A | od -An -c
      ls -A "folder$b" | od -An -c
    `;
    const { status, stdout, stderr } = run('bash', ['-c', script, 'bash', scratch, GUESTLESS]);
    expect([status, stderr]).toEqual([0, '']);
    const [listing = '', ...names] = stdout.toString().split(/\s+(?=c\s+o\s+p)/);
    expect(listing.split('\n')).toEqual(['lost+found', 'name', 'too']);
    expect(names.join(' ').replaceAll(/\s+/g, '')).toBe(
      String.raw`copy377.raw\ndisk.raw\nfolder377\nnew377.qcow2\nover377.qcow2\nall377.tar\nname\n`,
    );
  });

  test('a file that cannot be made is named as it was given, not by its temporary name', () => {
    const file = path.join(scratchFolder(), 'x.qcow2');
    const { status, stderr } = guestless(['img', 'create', '-f', 'qcow2', '-o', 'cluster_size=3', file, '1M']);
    expect([status, stderr.includes(`${file}: `), fs.existsSync(file)]).toEqual([2, true, false]);
  });
});

test('sizes and names of snapshots for people, as qemu-img prints them', () => {
  const scratch = scratchFolder();
  for (const size of [717_312, 1_023_488, 2_610_176, 10_490_880, 999 * 1024]) {
    const image = path.join(scratch, `${size}.qcow2`);
    must('qemu-img', 'create', '-q', '-f', 'qcow2', image, String(size));
    must('qemu-img', 'snapshot', '-c', 'snäp', image);
    expect(guestless(['img', 'info', image]).stdout).toBe(must('qemu-img', 'info', image));
  }
});

test('a port that is none is wrong use', () => {
  expect(guestless(['web', '--port', 'x']).status).toBe(2);
  expect(guestless(['web', '--port', '65536']).status).toBe(2);
});

import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture, privateCopy, scratchFolder } from '../support/images.ts';
import { must } from '../support/oracle.ts';
import { fish } from './shell.ts';

const folder = scratchFolder();

function definition(disks: string): string {
  const file = path.join(folder, `domain${fs.readdirSync(folder).length}.xml`);
  fs.writeFileSync(file, `<?xml version="1.0"?>\n<domain type='kvm'><name>guest</name><devices>${disks}</devices></domain>`);
  return file;
}

function ova(name: string, disk: string, href: string): string {
  const inside = scratchFolder();
  fs.copyFileSync(disk, path.join(inside, href));
  fs.writeFileSync(
    path.join(inside, 'guest.ovf'),
    `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
 <References><File ovf:id="file1" ovf:href="${href}"/></References>
 <DiskSection><Info>disks</Info><Disk ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:capacity="8"/></DiskSection>
</Envelope>`,
  );
  const archive = path.join(folder, name);
  must('tar', '--format=ustar', '-C', inside, '-cf', archive, 'guest.ovf', href);
  return archive;
}

describe('a libvirt domain definition', () => {
  it('gives its disks in their order, with their formats', async () => {
    const disk = fixture('shell/disk.img');
    const overlay = path.join(folder, 'a & b.qcow2');
    must('qemu-img', 'create', '-q', '-f', 'qcow2', overlay, '1M');
    const file = definition(`
      <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${disk}'/><target dev='vda' bus='virtio'/></disk>
      <disk type='file' device='cdrom'><target dev='hdd' bus='ide'/><readonly/></disk>
      <disk type='file'><driver name='qemu' type='qcow2'/><source file='${overlay.replace('&', '&amp;')}'/><readonly/></disk>
      <disk type='network'><driver type='raw'/><source protocol='nbd' name='x'><host name='server' port='1'/></source></disk>`);
    const { stdout, status } = await fish(['--ro', '-d', file, 'debug-drives']);
    expect(stdout).toBe(
      `${disk} readonly format=raw protocol=file\n${overlay} readonly format=qcow2 protocol=file\nx readonly format=raw protocol=nbd\n`,
    );
    expect(status).toBe(0);
  });

  it('is opened, and add-domain counts its disks', async () => {
    const file = definition(`<disk type='file'><driver type='raw'/><source file='${fixture('shell/disk.img')}'/><readonly/></disk>`);
    const { stdout } = await fish([], `add-domain ${file}\nrun\nmount-ro /dev/sda1 /\nhead-n 1 /etc/motd\n`);
    expect(stdout).toBe('1\nWelcome to the message of the day.\n');
  });

  it('is refused when it defines entities, names no disk or is no XML', async () => {
    const bomb = path.join(folder, 'bomb.xml');
    fs.writeFileSync(bomb, '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><domain><devices>&b;</devices></domain>');
    expect(await fish(['-d', bomb, 'echo', 'x'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: [expect.stringContaining('document type')],
    });
    expect(await fish(['-d', definition(''), 'echo', 'x'])).toMatchObject({ status: 1, stderr: [expect.stringContaining('no disk')] });
    const text = path.join(folder, 'text');
    fs.writeFileSync(text, 'no <xml');
    expect(await fish(['-d', text, 'echo', 'x'])).toMatchObject({ status: 1, stdout: '' });
  });
});

describe('an OVA file', () => {
  it('gives the disk within it, for looking', async () => {
    const archive = ova('guest.ova', fixture('shell/disk.img'), 'disk1.img');
    const { stdout } = await fish(['--ro', '-a', archive], 'run\nmount /dev/sda1 /\ncat /etc/hosts\n');
    expect(stdout).toBe('127.0.0.1 localhost\n\n');
    expect(await fish(['-a', archive, 'run'])).toMatchObject({ status: 1, stderr: [expect.stringContaining('--ro')] });
  });

  it('says so when its disk is a VMDK', async () => {
    const vmdk = path.join(folder, 'disk.vmdk');
    must('qemu-img', 'convert', '-O', 'vmdk', '-o', 'subformat=streamOptimized', privateCopy(fixture('shell/disk.img')), vmdk);
    const { status, stderr } = await fish(['--ro', '-a', ova('vmware.ova', vmdk, 'disk1.vmdk'), 'run']);
    expect(status).toBe(1);
    expect(stderr.join('\n')).toMatch(/vmdk/i);
  });
});

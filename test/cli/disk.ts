/** A disk made by real tools: GPT, a FAT system partition, an ext4 root with odd names whose fstab joins them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { must } from '../support/oracle.ts';

export interface TestDisk {
  readonly raw: string;
  readonly qcow2: string;
  readonly overlay: string;
  /** The ext4 file system alone. */
  readonly ext4: string;
  /** The folder that it was made from. */
  readonly tree: string;
}

const MIB = 1 << 20;
const ROOT_UUID = '0d5ba4c2-3b1c-4c0e-9f4e-7a1d5c2f9e11';

export function makeTestDisk(folder: string): TestDisk {
  const at = (name: string): string => path.join(folder, name);
  const tree = at('tree');
  const put = (name: string, content: string | Uint8Array, mode = 0o644): void => {
    fs.mkdirSync(path.join(tree, path.dirname(name)), { recursive: true });
    fs.writeFileSync(path.join(tree, name), content, { mode });
    fs.chmodSync(path.join(tree, name), mode);
  };
  put('etc/os-release', 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n');
  put('etc/debian_version', '12.11\n');
  put('etc/hostname', 'testhost\n');
  put(
    'etc/fstab',
    `UUID=${ROOT_UUID} / ext4 defaults 0 1\nLABEL=TESTESP /boot/efi vfat umask=0077 0 2\nUUID=dead-beef /gone ext4 nofail\n`,
  );
  put('etc/passwd', 'root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n');
  put('etc/group', 'root:x:0:\nada:x:1000:\n');
  put('bin/ls', fs.readFileSync('/bin/ls').subarray(0, 4096), 0o755);
  put('a/one.txt', 'one\n');
  put('a-b', 'sorted between a and a/\n');
  put('a.d/two', 'two\n');
  put('sticky/secret', 'x', 0o600);
  put('setuid', 'x', 0o755);
  fs.chmodSync(path.join(tree, 'setuid'), 0o4755);
  fs.mkdirSync(path.join(tree, 'boot/efi'), { recursive: true });
  fs.symlinkSync('../../../etc/passwd', path.join(tree, 'a/up'));
  fs.symlinkSync('/etc/hostname', path.join(tree, 'a/absolute'));
  fs.writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe, 0x0a, 0x21])]), 'odd\n');
  const ext4 = at('root.img');
  fs.closeSync(fs.openSync(ext4, 'w'));
  fs.truncateSync(ext4, 16 * MIB);
  must('mke2fs', '-q', '-F', '-t', 'ext4', '-L', 'testroot', '-U', ROOT_UUID, '-E', 'root_owner=0:0', '-d', tree, ext4);
  const esp = at('esp.img');
  fs.closeSync(fs.openSync(esp, 'w'));
  fs.truncateSync(esp, 8 * MIB);
  must('mkfs.vfat', '-F', '12', '-n', 'TESTESP', '-i', 'ABCD1234', esp);
  fs.writeFileSync(at('note'), 'from the ESP\n');
  must('mcopy', '-i', esp, at('note'), '::/A long Name.txt');
  const raw = at('disk.raw');
  fs.closeSync(fs.openSync(raw, 'w'));
  fs.truncateSync(raw, 32 * MIB);
  must('sgdisk', '-n', '1:2048:+8M', '-t', '1:ef00', '-n', '2:0:+16M', '-t', '2:8300', raw);
  const disk = fs.openSync(raw, 'r+');
  for (const [file, start] of [
    [esp, 1],
    [ext4, 9],
  ] as const) {
    const bytes = fs.readFileSync(file);
    fs.writeSync(disk, bytes, 0, bytes.length, start * MIB);
  }
  fs.closeSync(disk);
  const qcow2 = at('disk.qcow2');
  const overlay = at('overlay.qcow2');
  must('qemu-img', 'convert', '-c', '-O', 'qcow2', raw, qcow2);
  must('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'disk.qcow2', '-F', 'qcow2', overlay);
  return { raw, qcow2, overlay, ext4, tree };
}

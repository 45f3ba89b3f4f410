// Images for the tests of the page, made by real tools.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';

export function tool(name, ...words) {
  return execFileSync(name, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 << 20 });
}

/** Where the first partition begins; bytes. */
export const START = 1 << 20;
/** Where the noise of {@link makeLargeDisk} begins. */
export const NOISE_AT = 1025 << 20;
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAYAAADED76LAAAAF0lEQVR4nGNkaPjPgA8w4ZUdKQoYGAAwYgGPrQqU0AAAAABJRU5ErkJggg==';

/** A GPT disk of `size` bytes with one ext4 partition that holds `tree`. */
export function makeDisk(file, size, tree, inodes = 4096) {
  fs.rmSync(file, { force: true });
  tool('truncate', '-s', String(size), file);
  execFileSync('sfdisk', ['-q', file], { input: 'label: gpt\nstart=2048, type=linux, name=root\n', stdio: ['pipe', 'ignore', 'ignore'] });
  const sectors = Math.floor(size / 512) - 4096;
  tool(
    'mke2fs',
    '-q',
    '-F',
    '-t',
    'ext4',
    '-L',
    'web-root',
    '-d',
    tree,
    '-N',
    String(inodes),
    '-E',
    `offset=${START}`,
    file,
    `${Math.floor(sectors / 2)}k`,
  );
}

/** A GPT disk of 4 GB: a small Linux in the first partition, 1.5 GB of noise in the second, and nothing in the rest. */
export function makeLargeDisk(file, tree) {
  tool('truncate', '-s', '4G', file);
  const table = 'label: gpt\nstart=2048, size=1GiB, type=linux\nsize=1536MiB, type=linux\n';
  execFileSync('sfdisk', ['-q', file], { input: table, stdio: ['pipe', 'ignore', 'ignore'] });
  tool('mke2fs', '-q', '-F', '-t', 'ext4', '-d', tree, '-E', `offset=${START}`, file, '1G');
  // Zeros under a cipher: noise, fast and the same each time.
  const noise =
    'head -c 1536M /dev/zero | openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 | dd of="$1" bs=1M oflag=seek_bytes seek=$2 conv=notrunc status=none';
  tool('bash', '-c', noise, 'bash', file, String(NOISE_AT));
}

/** A file tree as a small Linux has it. */
export function makeTree(folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  const put = (name, contents) => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), contents);
  };
  for (const name of ['bin', 'dev', 'proc', 'root', 'tmp', 'var/log', 'home/alice'])
    fs.mkdirSync(path.join(folder, name), { recursive: true });
  put('etc/os-release', 'ID=debian\nNAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\n');
  put('etc/hostname', 'web-guest\n');
  put('etc/hosts', '127.0.0.1\tlocalhost\n127.0.1.1\tweb-guest\n');
  put('etc/fstab', 'LABEL=web-root / ext4 defaults 0 1\n');
  put('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n');
  put('etc/group', 'root:x:0:\nalice:x:1000:\n');
  put('etc/shadow', 'root:*:19000:0:99999:7:::\nalice:*:19000:0:99999:7:::\n');
  put('etc/motd', 'welcome\n');
  put('usr/lib/os-release', 'ID=debian\n');
  put('usr/share/dot.png', Buffer.from(PNG, 'base64'));
  put('usr/share/latin1.txt', Buffer.from('caf\xe9 na\xefve r\xe9sum\xe9\n', 'latin1'));
  put('usr/share/utf16.txt', Buffer.from('\ufeffGr\u00fc\u00dfe aus der Ferne\r\n', 'utf16le'));
  put('usr/share/random.bin', Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919 + (i >> 8) * 31) & 0xff)));
  put('var/lib/dpkg/status', 'Package: hello\nStatus: install ok installed\nVersion: 2.10-3\nArchitecture: amd64\n\n');
  return folder;
}

/** Names that would do harm if they were anything but text. */
export const HOSTILE = [
  '<img src=x onerror=window.hacked=1>',
  '<script>window.hacked=1<\u2044script>',
  '"><svg onload=window.hacked=1>',
  'javascript:window.hacked=1',
  '{{constructor.constructor("window.hacked=1")()}}',
  '\u202egnp.exe',
  'a\u0007bell\u001b[31mred\u001b[0m',
  'line\nbreak',
  'tab\there',
  `${'n'.repeat(251)}.txt`,
  '\u200b\u200bunseen',
  '-rf',
  ' leading blank',
  '%2e%2e%2f',
  '..\\..\\windows',
  '&lt;b&gt;',
];

export function makeHostileTree(folder) {
  makeTree(folder);
  const home = path.join(folder, 'hostile');
  fs.mkdirSync(home);
  for (const name of HOSTILE) fs.writeFileSync(path.join(home, name), '<script>window.hacked=1</script>\n');
  fs.writeFileSync(Buffer.concat([Buffer.from(`${home}/`), Buffer.from([0xff, 0xfe, 0x41, 0xc3])]), 'no UTF-8\n');
  fs.symlinkSync('<img src=x onerror=window.hacked=1>', path.join(home, 'link'));
  fs.writeFileSync(path.join(home, 'page.html'), '<!doctype html><script>window.hacked=1</script>');
  fs.writeFileSync(
    path.join(home, 'picture.svg'),
    '<svg xmlns="http://www.w3.org/2000/svg" onload="window.hacked=1"><script>window.hacked=1</script></svg>',
  );
  fs.writeFileSync(path.join(folder, 'etc/hostname'), '<img src=x onerror=window.hacked=1>\n');
  fs.writeFileSync(path.join(folder, 'etc/os-release'), 'ID=debian\nPRETTY_NAME="<img src=x onerror=window.hacked=1>"\n');
}

/** An archive of `count` empty files. */
export function makeManyNames(file, count) {
  const program =
    'import sys, tarfile\nwith tarfile.open(sys.argv[1], "w") as t:\n  for i in range(int(sys.argv[2])): t.addfile(tarfile.TarInfo("file-%06d" % i))';
  tool('python3', '-c', program, file, String(count));
}

/** The complaints of e2fsck about the first partition of a raw disk, at most `size` bytes of it; none when it is clean. */
export function complaintsOf(raw, scratch, start = START, size = 2 ** 40) {
  const cut = 'dd if="$1" of="$2" bs=1M iflag=skip_bytes,count_bytes skip="$3" count="$4" conv=sparse status=none';
  tool('sh', '-c', `rm -f "$2"; ${cut}; truncate -s %512 "$2"`, 'sh', raw, scratch, String(start), String(size));
  let text;
  try {
    text = tool('e2fsck', '-fn', scratch);
  } catch (error) {
    text = `${error.stdout}${error.stderr}`;
  }
  return text.split('\n').filter((line) => line !== '' && !/^(Pass \d|e2fsck |[^ ]+: \d+\/\d+ files)/.test(line));
}

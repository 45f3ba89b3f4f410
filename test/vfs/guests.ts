/** Small guests for the tests of the VFS, made by mke2fs, and what debugfs sees in them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { scratchFolder } from '../support/images.ts';
import { must, run } from '../support/oracle.ts';

export const PASSWD =
  'root:x:0:0:root:/root:/bin/bash\nbin:x:1:1:bin:/bin:/sbin/nologin\n' +
  'fred:x:105:110:Fred:/home/fred:/bin/sh\nal:x:1001:1002:Al:/home/al:/bin/sh\n';
export const SHADOW = 'root:$1$12345678$xxxxx:14917:0:99999:7:::\nbin:*:14495:0:99999:7:::\nfred:!!:14495:0:99999:7:::\n';

let scratch: string | undefined;

/** A new folder in the one that goes when the process ends. */
export function newFolder(): string {
  scratch ??= scratchFolder('guestless-vfs-');
  return fs.mkdtempSync(path.join(scratch, 'x'));
}

/** Paths without a leading slash: the contents of a file, `{ link }` or `{ directory: mode }`; null takes away what every guest has. */
export type Tree = Readonly<Record<string, string | { readonly link: string } | { readonly directory: number } | null>>;

const GUEST: Tree = {
  etc: { directory: 0o755 },
  root: { directory: 0o700 },
  home: { directory: 0o755 },
  'home/al': { directory: 0o755 },
  var: { directory: 0o755 },
  'var/lib': { directory: 0o755 },
  bin: { directory: 0o755 },
  'etc/passwd': PASSWD,
  'etc/group': 'root:x:0:\nbin:x:1:\nusers:x:500:\nadmins:x:600:fred,al\n',
  'etc/shadow': SHADOW,
  'etc/hostname': 'guest\n',
  'etc/hostname.link': { link: 'hostname' },
  'etc/hostname.abs': { link: '/etc/hostname' },
  'etc/dangling': { link: '/nonexistent' },
  'etc/os-release': 'ID=debian\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n',
  'etc/debian_version': '12.0\n',
  'etc/fstab': '/dev/sda / ext4 defaults 0 1\n',
};

export interface GuestOptions {
  readonly size?: string;
  readonly type?: string;
  readonly label?: string;
  readonly options?: readonly string[];
  /** Leave out the files that every guest has. */
  readonly bare?: boolean;
}

/** A whole-disk file system with these files, all of them root's but /etc/shadow, which is of group 42 with mode 0640. */
export function guestImage(tree: Tree = {}, options: GuestOptions = {}): string {
  const key = JSON.stringify([tree, options]);
  const known = made.get(key) ?? makeGuest(tree, options);
  made.set(key, known);
  const copy = path.join(newFolder(), 'guest.raw');
  must('cp', '--sparse=always', known, copy);
  return copy;
}

/** Images that were made before, by what they were made of. */
const made = new Map<string, string>();

function makeGuest(tree: Tree, options: GuestOptions): string {
  const folder = newFolder();
  const root = path.join(folder, 'tree');
  fs.mkdirSync(root);
  const all = Object.entries({ ...(options.bare === true ? {} : GUEST), ...tree }).filter((one) => one[1] !== null);
  const owners = ['set_inode_field <2> uid 0', 'set_inode_field <2> gid 0'];
  for (const [name, what] of all) {
    const target = path.join(root, name);
    if (what === null) continue;
    if (typeof what === 'string') fs.writeFileSync(target, what, { mode: 0o644 });
    else if ('link' in what) fs.symlinkSync(what.link, target);
    else fs.mkdirSync(target);
    if (typeof what === 'object' && 'directory' in what) fs.chmodSync(target, what.directory);
    for (const field of ['uid', 'gid'])
      owners.push(`set_inode_field /${name} ${field} ${name === 'etc/shadow' && field === 'gid' ? 42 : 0}`);
  }
  if (fs.existsSync(path.join(root, 'etc/shadow'))) fs.chmodSync(path.join(root, 'etc/shadow'), 0o640);
  const image = path.join(folder, 'guest.raw');
  const { type = 'ext4', label = 'rootfs', size = '16M' } = options;
  must('mke2fs', '-q', '-t', type, '-b', '1024', '-d', root, '-L', label, ...(options.options ?? []), image, size);
  const script = path.join(folder, 'owners');
  fs.writeFileSync(script, owners.join('\n'));
  must('debugfs', '-w', '-f', script, image);
  return image;
}

/** Mode, owner, group and, of a regular file, its contents. */
export type Node = readonly [mode: string, uid: number, gid: number, data?: string];

/** All files of an image as debugfs sees them, /lost+found left out. */
export function dump(image: string): Record<string, Node> {
  const nodes: Record<string, Node> = {};
  const contents: { readonly path: string; readonly inode: string }[] = [];
  for (let folders = ['']; folders.length > 0; ) {
    const below: string[] = [];
    for (const [i, listing] of debugfs(
      image,
      folders.map((folder) => `ls -p "${folder}/"`),
    ).entries()) {
      for (const line of listing.split('\n')) {
        const [, inode = '', mode = '', uid, gid, name = ''] = line.split('/');
        if (name === '' || name === '.' || name === '..' || name === 'lost+found' || inode === '0') continue;
        const full = `${folders[i]}/${name}`;
        // debugfs prints numbers from 2^31 on as negative ones.
        nodes[full] = [mode, Number(uid) >>> 0, Number(gid) >>> 0];
        if (mode.startsWith('10')) contents.push({ path: full, inode });
        if (mode.startsWith('04')) below.push(full);
      }
    }
    folders = below;
  }
  const target = newFolder();
  debugfs(
    image,
    contents.map(({ inode }) => `dump <${inode}> ${target}/${inode}`),
  );
  for (const { path: full, inode } of contents) {
    const [mode, uid, gid] = nodes[full] as Node;
    nodes[full] = [mode, uid, gid, fs.readFileSync(path.join(target, inode), 'utf8')];
  }
  return nodes;
}

/** The answers of debugfs to several requests. */
function debugfs(image: string, requests: readonly string[]): string[] {
  const script = path.join(newFolder(), 'script');
  fs.writeFileSync(script, requests.join('\n'));
  return must('debugfs', '-f', script, image)
    .split(/^debugfs: .*$/m)
    .slice(1);
}

/** A disk with an MBR or GPT and images as its partitions. */
export function partitioned(scheme: 'dos' | 'gpt', parts: readonly string[]): string {
  const image = path.join(newFolder(), 'disk.raw');
  const sizes = parts.map((part) => fs.statSync(part).size / 512);
  let at = 2048;
  const starts = sizes.map((size) => {
    const start = at;
    at += Math.ceil(size / 2048) * 2048;
    return start;
  });
  fs.writeFileSync(image, '');
  fs.truncateSync(image, (at + 2048) * 512);
  const lines = starts.map((start, i) => `start=${start}, size=${sizes[i]}, type=${scheme === 'gpt' ? 'L' : '83'}`);
  const made = run('sfdisk', ['-q', image], Buffer.from([`label: ${scheme}`, ...lines].join('\n')));
  if (made.status !== 0) throw new Error(made.stderr);
  parts.forEach((part, i) => {
    must('dd', `if=${part}`, `of=${image}`, 'bs=1M', `seek=${(starts[i] ?? 0) / 2048}`, 'conv=notrunc,sparse', 'status=none');
  });
  return image;
}

/** One partition of such a disk, as a file of its own. */
export function partitionOf(image: string, number: number): string {
  const table = JSON.parse(must('sfdisk', '-J', image)) as { partitiontable: { partitions: { start: number; size: number }[] } };
  const { start, size } = table.partitiontable.partitions[number - 1] ?? { start: 0, size: 0 };
  const copy = path.join(newFolder(), `part${number}.raw`);
  must('dd', `if=${image}`, `of=${copy}`, 'bs=1M', `skip=${start / 2048}`, `count=${size / 2048}`, 'conv=sparse', 'status=none');
  return copy;
}

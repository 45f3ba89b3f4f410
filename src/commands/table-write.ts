/** The commands that change the files of a guest. */
import type { Argument, Command } from './declaration.ts';

const IMAGE: Argument = { name: 'IMAGE', kind: 'image', help: 'the disk image; changed only with --commit' };
const PATHS: Argument = { name: 'PATH', kind: 'guest-path', repeated: true };
const PATH: Argument = { name: 'PATH', kind: 'guest-path' };

/** A command that changes files: it prints nothing unless it says otherwise. */
function change(own: Omit<Command, 'groups' | 'result'> & Partial<Command>): Command {
  return { groups: ['mount', 'image', 'write', 'json'], result: 'nothing', interruptible: true, ...own };
}

export const WRITE_COMMANDS: readonly Command[] = [
  change({
    name: 'write',
    summary: 'Write standard input into a file',
    description: 'A file that is there keeps its owner and mode and gets new contents; a new one belongs to root with mode 0644.',
    arguments: [IMAGE, PATH],
    options: [{ names: ['--append'], help: 'write at the end of the file' }],
    examples: ['write --commit disk.raw /etc/motd'],
    load: async () => (await import('./change-files.ts')).write,
  }),
  change({
    name: 'mkdir',
    summary: 'Make directories',
    arguments: [IMAGE, PATHS],
    options: [{ names: ['-p', '--parents'], help: 'make those above too; no error where it is there' }],
    examples: ['mkdir -p --commit disk.raw /opt/app/data'],
    load: async () => (await import('./change-names.ts')).mkdir,
  }),
  change({
    name: 'rm',
    summary: 'Remove files',
    arguments: [IMAGE, PATHS],
    options: [
      { names: ['-r', '-R', '--recursive'], help: 'remove directories with all that is in them' },
      { names: ['-f', '--force'], help: 'no error where there is nothing' },
    ],
    examples: ['rm -r --commit disk.raw /var/cache/apt'],
    load: async () => (await import('./change-names.ts')).rm,
  }),
  change({
    name: 'mv',
    summary: 'Rename a file, or move it into a directory',
    arguments: [IMAGE, { name: 'FROM', kind: 'guest-path' }, { name: 'TO', kind: 'guest-path' }],
    options: [],
    examples: ['mv --commit disk.raw /etc/motd /etc/motd.old'],
    load: async () => (await import('./change-names.ts')).mv,
  }),
  change({
    name: 'ln',
    summary: 'Make a link',
    arguments: [IMAGE, { name: 'TARGET', kind: 'guest-path' }, { name: 'LINK', kind: 'guest-path' }],
    options: [{ names: ['-s', '--symbolic'], help: 'a symbolic link; TARGET is its text and need not exist' }],
    examples: ['ln -s --commit disk.raw ../usr/share/zoneinfo/UTC /etc/localtime'],
    load: async () => (await import('./change-names.ts')).ln,
  }),
  change({
    name: 'chmod',
    summary: 'Change permissions',
    arguments: [IMAGE, { name: 'MODE', kind: 'mode', help: 'octal, or clauses such as u+x,go-w' }, PATHS],
    options: [{ names: ['-R', '--recursive'], help: 'and of all that is below' }],
    examples: ['chmod --commit disk.raw 0600 /etc/shadow'],
    load: async () => (await import('./change-owners.ts')).chmod,
  }),
  change({
    name: 'chown',
    summary: 'Change owners',
    arguments: [IMAGE, { name: 'OWNER', kind: 'owner', help: 'OWNER[:GROUP], names of the guest or numbers' }, PATHS],
    options: [
      { names: ['-R', '--recursive'], help: 'and of all that is below; symbolic links themselves' },
      { names: ['-h', '--no-dereference'], help: 'change a symbolic link itself' },
    ],
    examples: ['chown -R --commit disk.raw www-data:www-data /srv/www'],
    load: async () => (await import('./change-owners.ts')).chown,
  }),
  change({
    name: 'truncate',
    summary: 'Set the length of a file',
    arguments: [IMAGE, PATH, { name: 'SIZE', kind: 'size', help: 'bytes; K, M, G, T for powers of 1024' }],
    options: [],
    examples: ['truncate --commit disk.raw /var/log/syslog 0'],
    load: async () => (await import('./change-files.ts')).truncate,
  }),
  change({
    name: 'setfattr',
    summary: 'Set an extended attribute',
    arguments: [
      IMAGE,
      PATH,
      { name: 'NAME', kind: 'text', help: 'with its name space, such as user.note' },
      { name: 'VALUE', kind: 'text', help: 'text, 0x and hexadecimal digits, or 0s and base64' },
    ],
    options: [{ names: ['-h', '--no-dereference'], help: 'of a symbolic link itself' }],
    examples: ['setfattr --commit disk.raw /srv/data user.note draft'],
    load: async () => (await import('./change-files.ts')).setfattr,
  }),
  change({
    name: 'tar-in',
    summary: 'Unpack a tar archive into a directory',
    description:
      'Modes, owners, times, links, attributes and devices come from the archive, which may be packed by gzip, xz, zstd, bzip2 or lz4. All of it is unpacked or nothing.',
    arguments: [IMAGE, { name: 'FILE', kind: 'host-file', help: 'the archive; - is standard input' }, PATH],
    options: [{ names: ['--no-xattrs'], help: 'leave out extended attributes and ACLs' }],
    examples: ['tar-in --commit disk.raw files.tar.gz /opt'],
    load: async () => (await import('./copy-in.ts')).tarIn,
  }),
  change({
    name: 'copy-in',
    summary: 'Copy files and folders of the host into a directory of the guest',
    description:
      'Modes, times, symbolic and hard links, pipes and device nodes are kept, and so are owners, as numbers, unless --owner says otherwise. ' +
      'Sockets are left out with a warning; extended attributes are not copied (tar-in has them).',
    arguments: [
      IMAGE,
      { name: 'FILE', kind: 'host-file', repeated: true },
      { name: 'DIR', kind: 'guest-path', help: 'a directory that exists' },
    ],
    options: [{ names: ['--owner'], value: { name: 'OWNER[:GROUP]', kind: 'owner' }, help: 'give everything to this owner' }],
    examples: ['copy-in --owner root:root --commit disk.raw app.conf conf.d /etc/app'],
    load: async () => (await import('./copy-in.ts')).copyIn,
  }),
  change({
    name: 'inject',
    summary: 'Inject a key, network configuration, metadata, a password and files',
    description:
      'As OpenStack nova does it: the key is appended to /root/.ssh/authorized_keys, --net becomes /etc/network/interfaces, metadata become JSON in /meta.js, ' +
      "the password is root's, in /etc/shadow, and each --file replaces a file of the guest or makes one (0644, of root; folders that are missing " +
      'are made). When an item fails, a warning says so, everything else is done and saved, and the exit status is 1; ' +
      'when an item named by --mandatory fails, nothing is saved.',
    arguments: [IMAGE],
    options: [
      {
        names: ['--key'],
        value: { name: 'FILE', kind: 'host-file' },
        help: 'a public SSH key for root; - is standard input, here and below',
      },
      { names: ['--net'], value: { name: 'FILE', kind: 'host-file' }, help: 'the text of /etc/network/interfaces' },
      { names: ['--meta'], value: { name: 'KEY=VALUE', kind: 'text' }, repeated: true, help: 'an entry of the metadata' },
      {
        names: ['--admin-password-file'],
        value: { name: 'FILE', kind: 'host-file' },
        help: 'the new password of root; a newline at its end does not count',
      },
      {
        names: ['--password-scheme'],
        value: { name: 'sha512|md5|des', kind: 'text', choices: ['sha512', 'md5', 'des'] },
        help: 'how the password is hashed; sha512 unless told otherwise (nova itself uses md5)',
      },
      {
        names: ['--file'],
        value: { name: 'GUEST=HOST', kind: 'text' },
        repeated: true,
        help: 'put a file of the host at a path of the guest',
      },
      {
        names: ['--mandatory'],
        value: { name: 'ITEM', kind: 'text' },
        repeated: true,
        help: 'key, net, meta, admin-password or file: save nothing when this cannot be injected',
      },
    ],
    result: 'report',
    examples: [
      'inject --key ~/.ssh/id_ed25519.pub --overlay new.qcow2 disk.qcow2',
      'inject --meta role=web --file /etc/app.conf=app.conf --mandatory file --commit disk.raw',
    ],
    load: async () => (await import('./inject.ts')).inject,
  }),
  change({
    name: 'wasi',
    summary: 'Run a program of WASI over the files of the guest',
    description:
      'The program (WebAssembly, WASI preview 1) finds the root of the guest at / and nothing of the host but the standard streams. Without --commit and ' +
      '--overlay what it changes is forgotten. Words behind PROGRAM are its own. Its exit status is that of guestless.',
    arguments: [
      IMAGE,
      { name: 'PROGRAM', kind: 'host-file', help: 'a .wasm file' },
      { name: 'ARG', kind: 'text', optional: true, repeated: true },
    ],
    verbatim: 2,
    options: [{ names: ['--env'], value: { name: 'NAME=VALUE', kind: 'text' }, repeated: true, help: 'a variable of its environment' }],
    result: 'bytes',
    interruptible: false,
    examples: [
      'wasi disk.qcow2 rg.wasm -n PermitRootLogin /etc/ssh',
      'wasi --overlay new.qcow2 disk.qcow2 ruby.wasm -e "File.write(%q(/etc/motd), %q(hello))"',
    ],
    load: async () => (await import('./wasi.ts')).wasi,
  }),
];

/** The table of commands. A verb is declared here once; the code behind it is loaded when it is run. */
import type { Argument, Command, CommandGroup, CommandTable, Option } from './declaration.ts';
import { IMAGE_COMMANDS } from './image/index.ts';
import { WRITE_COMMANDS } from './table-write.ts';

const IMAGE: Argument = {
  name: 'IMAGE',
  kind: 'image',
  help: 'a disk image: raw, qcow2, compressed raw, or a block device; or its address: https://..., nbd:...',
};
const PATHS: Argument = { name: 'PATH', kind: 'guest-path', repeated: true, help: 'an absolute path of the guest' };
const START: Argument = { name: 'PATH', kind: 'guest-path', optional: true, help: 'where to begin; default /' };
const ALGORITHM: Option = {
  names: ['-a', '--algorithm'],
  value: { name: 'NAME', kind: 'text', choices: ['sha256', 'sha512', 'sha384', 'sha224', 'sha1', 'md5'] },
  help: 'the checksum; default sha256',
};

const DEVICE_NODES: Option = { names: ['--devices'], help: 'make device nodes too (they are left out otherwise)' };
const SET_ID: Option = { names: ['--set-id'], help: 'keep set-user-ID and set-group-ID bits (they are dropped otherwise)' };

/** The commands that only read. */
export const READ_COMMANDS: readonly Command[] = [
  {
    name: 'info',
    summary: 'Show what an image is and what is on it',
    description:
      'The container and its chain of backing files, sizes, partitions, file systems, and the operating systems with their mount points. ' +
      'A damaged file system is reported and does not stop the rest.',
    arguments: [IMAGE],
    options: [{ names: ['--packages'], help: 'list the installed packages too' }],
    groups: ['image', 'json'],
    result: 'report',
    examples: ['info disk.qcow2', 'info --json disk.qcow2'],
    load: async () => (await import('./info.ts')).info,
  },
  {
    name: 'packages',
    summary: 'List the installed packages',
    description:
      'One line for each package: name, version and architecture, separated by tabs; on a disk with several operating systems also the device of the root. ' +
      'The databases of dpkg, apk, pacman and rpm (SQLite, NDB and Berkeley DB) are read. A system whose packages cannot be listed is an error, never an empty list.',
    arguments: [IMAGE],
    options: [],
    groups: ['image', 'json'],
    result: 'lines',
    examples: ['packages disk.qcow2', 'packages disk.qcow2 --json'],
    load: async () => (await import('./packages.ts')).packages,
  },
  {
    name: 'filesystems',
    aliases: ['fs'],
    summary: 'List devices with type, label, UUID and size of what they hold',
    description:
      'One line for each file system: device, type, label, UUID, size in bytes, separated by tabs; - stands for what there is not.',
    arguments: [IMAGE],
    options: [],
    groups: ['image', 'json'],
    result: 'lines',
    examples: ['filesystems disk.qcow2', 'filesystems disk.qcow2 --json'],
    load: async () => (await import('./filesystems.ts')).filesystems,
  },
  {
    name: 'ls',
    summary: 'List a directory',
    description:
      'Names are sorted by their bytes. -l tells mode, links, owner, group, size and time of change. -R lists everything below, as paths relative to PATH; ' +
      '-lR prints type, mode, size and path of each, as virt-ls does.',
    arguments: [IMAGE, START],
    options: [
      { names: ['-l', '--long'], help: 'tell more of each file' },
      { names: ['-R', '--recursive'], help: 'list everything below' },
      { names: ['--numeric'], help: 'with -l, owners and groups as numbers' },
      { names: ['--uids'], help: 'with -lR, add user and group numbers' },
      { names: ['--times'], help: 'with -lR, add times of access, modification and change (UTC)' },
      { names: ['--extra-stats'], help: 'with -lR, add device, inode, links, device number and blocks' },
    ],
    groups: ['mount', 'image', 'json'],
    result: 'lines',
    examples: ['ls disk.qcow2 /etc', 'ls -lR disk.qcow2 /boot', 'ls -m /dev/sda1 disk.qcow2'],
    load: async () => (await import('./ls.ts')).ls,
  },
  {
    name: 'cat',
    summary: 'Write the contents of files to standard output',
    arguments: [IMAGE, PATHS],
    options: [],
    groups: ['mount', 'image', 'json'],
    result: 'bytes',
    examples: ['cat disk.qcow2 /etc/os-release'],
    load: async () => (await import('./cat.ts')).cat,
  },
  {
    name: 'stat',
    summary: 'Show the attributes of a file',
    arguments: [IMAGE, { ...PATHS, repeated: true }],
    options: [{ names: ['-L', '--dereference'], help: 'follow a symbolic link' }],
    groups: ['mount', 'image', 'json'],
    result: 'report',
    examples: ['stat disk.qcow2 /etc/passwd', 'stat --json disk.qcow2 /bin'],
    load: async () => (await import('./stat.ts')).stat,
  },
  {
    name: 'find',
    summary: 'List all paths below a directory',
    description: 'Paths are absolute and sorted by their bytes.',
    arguments: [IMAGE, START],
    options: [
      { names: ['-n', '--name'], value: { name: 'PATTERN', kind: 'text' }, help: 'only names that match: * ? [...]' },
      {
        names: ['-t', '--type'],
        value: { name: 'f|d|l|b|c|p|s', kind: 'text', choices: ['f', 'd', 'l', 'b', 'c', 'p', 's'] },
        help: 'only files, directories, links, block or character devices, pipes, sockets',
      },
      { names: ['-0', '--print0'], help: 'end each path with a NUL byte instead of a newline' },
    ],
    groups: ['mount', 'image', 'json'],
    result: 'lines',
    examples: ['find disk.qcow2 /etc', "find disk.qcow2 --type f --name '*.conf'"],
    load: async () => (await import('./find.ts')).find,
  },
  {
    name: 'df',
    summary: 'Show how full the file systems are',
    arguments: [IMAGE],
    options: [
      { names: ['-h', '--human-readable'], help: 'sizes with K, M, G' },
      { names: ['-i', '--inodes'], help: 'count inodes instead of blocks' },
    ],
    groups: ['image', 'json'],
    result: 'report',
    examples: ['df -h disk.qcow2'],
    load: async () => (await import('./df.ts')).df,
  },
  {
    name: 'diff',
    summary: 'Show the files in which two images differ',
    description:
      'Each line is + (only in the second), - (only in the first) or = (changed, and in what), with the path. The exit status is 0 also when there are differences, unless --exit-code is given.',
    arguments: [
      { name: 'IMAGE1', kind: 'image' },
      { name: 'IMAGE2', kind: 'image' },
      { name: 'PATH', kind: 'guest-path', optional: true, help: 'compare only what is below; default /' },
    ],
    options: [
      { names: ['--times'], help: 'compare times of modification too' },
      { names: ['--no-content'], help: 'do not read files of equal size to compare them' },
      { names: ['--exit-code'], help: 'exit with 1 when there are differences' },
    ],
    groups: ['mount', 'image', 'json'],
    result: 'lines',
    examples: ['diff base.qcow2 changed.qcow2'],
    load: async () => (await import('./diff.ts')).diff,
  },
  {
    name: 'checksum',
    summary: 'Print checksums of all regular files',
    description: 'One line HEX  /path for each regular file at or below PATH, sorted by path, as sha256sum prints them.',
    arguments: [IMAGE, START],
    options: [ALGORITHM],
    groups: ['mount', 'image', 'json'],
    result: 'lines',
    examples: ['checksum disk.qcow2 /etc', 'checksum -a md5 disk.qcow2 /boot'],
    load: async () => (await import('./checksum.ts')).checksum,
  },
  {
    name: 'tar-out',
    summary: 'Write a directory as a tar archive',
    description:
      'A POSIX pax archive with owners, modes, times, links, extended attributes and device nodes. Names in it are relative to PATH.',
    arguments: [
      IMAGE,
      { name: 'PATH', kind: 'guest-path', help: 'the directory' },
      { name: 'FILE', kind: 'host-file', optional: true, help: 'where to write; - or nothing is standard output' },
    ],
    options: [
      { names: ['--no-sparse'], help: 'write holes as zeros (else sparse files are kept sparse, in the format GNU.sparse 1.0)' },
      { names: ['--no-xattrs'], help: 'leave out extended attributes and ACLs' },
    ],
    groups: ['mount', 'image', 'json'],
    result: 'bytes',
    examples: ['tar-out disk.qcow2 /etc etc.tar', 'tar-out disk.qcow2 / - | tar tv'],
    load: async () => (await import('./tar-out.ts')).tarOut,
  },
  {
    name: 'copy-out',
    summary: 'Copy files and directories of the guest into a folder of the host',
    description:
      'Symbolic links of the host are never followed and nothing is written outside of DIR. Owners are kept when the program may set them. ' +
      'Device nodes, and the set-user-ID and set-group-ID bits, are left out unless asked for; extended attributes are not copied (tar-out has them).',
    arguments: [IMAGE, PATHS, { name: 'DIR', kind: 'host-folder', help: 'a folder that exists' }],
    options: [DEVICE_NODES, SET_ID],
    groups: ['mount', 'image', 'json'],
    result: 'nothing',
    examples: ['copy-out disk.qcow2 /etc /var/log out/'],
    load: async () => (await import('./copy-out.ts')).copyOut,
  },
];

const IMAGE_GROUP: CommandGroup = {
  name: 'img',
  summary: 'Work with images as containers, in the manner of qemu-img',
  commands: IMAGE_COMMANDS,
};

const WEB: Command = {
  name: 'web',
  summary: 'Serve the page on this computer: look into images in a browser',
  description:
    'Prints the address to open, and serves until it is ended with Ctrl-C. The server gives out the page and nothing else, to this computer alone; images are ' +
    'chosen in the browser and read there, and nothing is uploaded.',
  arguments: [],
  options: [
    { names: ['--port'], value: { name: 'N', kind: 'number' }, help: 'where to listen; default 8080, 0 for any port that is free' },
  ],
  groups: ['json'],
  result: 'lines',
  interruptible: true,
  examples: ['web', 'web --port 9000'],
  load: async () => (await import('./web.ts')).web,
};

const APPLIANCE_GROUP: CommandGroup = {
  name: 'appliance',
  summary: 'Stand in for the appliance of libguestfs',
  commands: [
    {
      name: 'env',
      summary: 'Print the settings by which guestfish, virt-* and other clients of libguestfs use guestless instead of qemu',
      description:
        "Shell commands for the environment of the client. A directory with guestless's own qemu-img goes on PATH where there is no other.",
      arguments: [],
      options: [],
      groups: [],
      result: 'lines',
      examples: ['appliance env'],
      load: async () => (await import('./appliance-env.ts')).applianceEnv,
    },
  ],
};

/** The shell has options of its own, guestfish's; a door starts it with all words as they are. */
const FISH: Command = {
  name: 'fish',
  summary: "Run guestfish's shell: its options, language and commands, without an appliance",
  description:
    'With words behind the options, they are commands, with : between them; else commands are read from standard input, or from a person. ' +
    'fish --help lists the options, fish -h the commands. Without --ro, changes are written into the images at the end.',
  arguments: [{ name: 'WORD', kind: 'text', optional: true, repeated: true, help: "guestfish's options and commands" }],
  options: [],
  groups: [],
  verbatim: 0,
  result: 'lines',
  examples: ['fish --ro -a disk.qcow2 -i cat /etc/os-release', 'fish -a disk.img run : list-filesystems'],
  load: async () => (await import('./fish.ts')).fish,
};

/** Every command, in the order in which help shows them. */
export const COMMANDS: CommandTable = [...READ_COMMANDS, ...WRITE_COMMANDS, IMAGE_GROUP, FISH, WEB, APPLIANCE_GROUP];

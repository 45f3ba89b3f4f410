/** The commands under `img` that make and change images. */
import type { Argument, Command, Option } from '../declaration.ts';

const IMAGE: Argument = { name: 'IMAGE', kind: 'image', help: 'the image; its file is changed' };
const FORMAT: Option = {
  names: ['-f', '--format'],
  value: { name: 'FORMAT', kind: 'text' },
  help: 'the format of the image (else probed by its magic)',
};
const OUTPUT: Option = {
  names: ['--output'],
  value: { name: 'human|json', kind: 'text', choices: ['human', 'json'] },
  help: 'text for people, or JSON',
};
const OPTIONS: Option = {
  names: ['-o', '--options'],
  value: { name: 'NAME=VALUE,...', kind: 'text' },
  repeated: true,
  help: 'for qcow2: compat, cluster_size, refcount_bits, lazy_refcounts, extended_l2, compression_type, preallocation, data_file, data_file_raw',
};
const QUIET: Option = { names: ['-q', '--quiet'], help: 'accepted for compatibility: nothing is printed but errors' };
const CACHE: Option = { names: ['-t', '--cache'], value: { name: 'MODE', kind: 'text' }, help: 'accepted for compatibility' };
const PROGRESS: Option = { names: ['-p', '--progress'], help: 'accepted for compatibility' };
const SHARE: Option = { names: ['-U', '--force-share'], help: 'accepted for compatibility' };
const ALLOW: Option = {
  names: ['--allow-backing'],
  value: { name: 'PATH', kind: 'host-file' },
  repeated: true,
  help: "a backing file, or a folder of them, that may be opened although it lies outside of the image's own folder",
};
const BACKING: Option = {
  names: ['-b', '--backing'],
  value: { name: 'FILE', kind: 'host-file' },
  help: 'the backing file, as the image is to name it',
};
const BACKING_FORMAT: Option = {
  names: ['-F', '--backing-format'],
  value: { name: 'FORMAT', kind: 'text' },
  help: 'the format of the backing file',
};

export const IMAGE_WRITE_COMMANDS: readonly Command[] = [
  {
    name: 'create',
    summary: 'Create an image',
    description:
      'The size is that of the backing file unless it is given. A backing file needs its format; with -u it need not be there yet.',
    arguments: [
      { name: 'FILE', kind: 'host-file', help: 'the new image; one that is there is replaced' },
      { name: 'SIZE', kind: 'size', optional: true },
    ],
    options: [
      { names: ['-f', '--format'], value: { name: 'FORMAT', kind: 'text' }, help: 'raw (the default) or qcow2' },
      OPTIONS,
      BACKING,
      BACKING_FORMAT,
      { names: ['-u', '--unsafe'], help: 'do not open the backing file' },
      QUIET,
      ALLOW,
    ],
    groups: ['json'],
    result: 'nothing',
    examples: ['img create -f qcow2 disk.qcow2 10G', 'img create -f qcow2 -b base.qcow2 -F qcow2 overlay.qcow2'],
    load: async () => (await import('./create.ts')).create,
  },
  {
    name: 'commit',
    summary: 'Write what an image holds into its backing file',
    description:
      'The image is empty afterwards and shows its backing file. With -b the changes of all images above FILE go into that one; the images between, ' +
      'and this one, are left as they are, and those between no longer show what they did.',
    arguments: [IMAGE],
    options: [
      FORMAT,
      { names: ['-b', '--base'], value: { name: 'FILE', kind: 'host-file' }, help: 'the image of the chain to write into' },
      { names: ['-d', '--keep'], help: 'do not empty the image' },
      CACHE,
      PROGRESS,
      QUIET,
      ALLOW,
    ],
    groups: ['json'],
    result: 'nothing',
    examples: ['img commit overlay.qcow2'],
    load: async () => (await import('./commit.ts')).commit,
  },
  {
    name: 'rebase',
    summary: 'Give an image another backing file',
    description:
      "The disk stays the same: what the new backing file does not show is copied into the image. With -u only the name is changed; -b '' is no backing file.",
    arguments: [IMAGE],
    options: [
      FORMAT,
      BACKING,
      BACKING_FORMAT,
      { names: ['-u', '--unsafe'], help: 'change nothing but the name' },
      CACHE,
      PROGRESS,
      QUIET,
      SHARE,
      ALLOW,
    ],
    groups: ['json'],
    result: 'nothing',
    examples: ['img rebase -b base2.qcow2 -F qcow2 overlay.qcow2', "img rebase -b '' overlay.qcow2"],
    load: async () => (await import('./rebase.ts')).rebase,
  },
  {
    name: 'resize',
    summary: 'Change the size of the disk in an image',
    description:
      'SIZE may begin with + or - to add or take away (write -- before a size that begins with -). What is added reads as zeros.',
    arguments: [IMAGE, { name: 'SIZE', kind: 'size' }],
    options: [FORMAT, { names: ['--shrink'], help: 'allow the disk to become smaller, which loses what is behind' }, QUIET, ALLOW],
    groups: ['json'],
    result: 'nothing',
    examples: ['img resize disk.qcow2 +2G', 'img resize --shrink disk.qcow2 1G'],
    load: async () => (await import('./resize.ts')).resize,
  },
  {
    name: 'snapshot',
    summary: 'List, take, apply or delete internal snapshots',
    arguments: [IMAGE],
    options: [
      FORMAT,
      OUTPUT,
      { names: ['-l', '--list'], help: 'list the snapshots (the default)' },
      { names: ['-c', '--create'], value: { name: 'NAME', kind: 'text' }, help: 'take a snapshot' },
      { names: ['-a', '--apply'], value: { name: 'SNAPSHOT', kind: 'text' }, help: 'make the disk what it was then (id or name)' },
      { names: ['-d', '--delete'], value: { name: 'SNAPSHOT', kind: 'text' }, help: 'delete a snapshot (id or name)' },
      QUIET,
      SHARE,
      ALLOW,
    ],
    groups: ['json'],
    result: 'report',
    examples: ['img snapshot -c before disk.qcow2', 'img snapshot -l disk.qcow2'],
    load: async () => (await import('./snapshot.ts')).snapshot,
  },
  {
    name: 'measure',
    summary: 'Tell how large a file for a disk would be',
    arguments: [{ name: 'IMAGE', kind: 'image', optional: true }],
    options: [
      FORMAT,
      { names: ['-O', '--output-format'], value: { name: 'FORMAT', kind: 'text' }, help: 'raw (the default) or qcow2' },
      OPTIONS,
      { names: ['--size'], value: { name: 'SIZE', kind: 'size' }, help: 'the size of an empty disk, instead of an image' },
      { names: ['-l', '--snapshot'], value: { name: 'SNAPSHOT', kind: 'text' }, help: 'the disk as it was in this internal snapshot' },
      OUTPUT,
      SHARE,
      ALLOW,
    ],
    groups: ['json'],
    result: 'report',
    examples: ['img measure -O qcow2 disk.raw', 'img measure -O qcow2 --size 10G --output=json'],
    load: async () => (await import('./measure.ts')).measure,
  },
  {
    name: 'amend',
    summary: 'Change options of a qcow2 image',
    arguments: [IMAGE],
    options: [
      FORMAT,
      { names: ['-o', '--options'], value: { name: 'NAME=VALUE,...', kind: 'text' }, repeated: true, help: 'compat, lazy_refcounts, size' },
      CACHE,
      PROGRESS,
      QUIET,
      ALLOW,
    ],
    groups: ['json'],
    result: 'nothing',
    examples: ['img amend -o compat=1.1 disk.qcow2'],
    load: async () => (await import('./amend.ts')).amend,
  },
  {
    name: 'bitmap',
    summary: 'List the persistent bitmaps of a qcow2 image',
    description: 'One line for each: name, granularity in bytes, flags.',
    arguments: [{ name: 'IMAGE', kind: 'image' }],
    options: [FORMAT, OUTPUT, { names: ['--list'], help: 'list them (the default)' }],
    groups: ['json'],
    result: 'report',
    examples: ['img bitmap disk.qcow2'],
    load: async () => (await import('./bitmap.ts')).bitmap,
  },
];

/** The commands under `img`: images as containers, in the manner of qemu-img. */
import type { Argument, Command } from '../declaration.ts';
import { ALLOW_BACKING } from '../options.ts';
import {
  COROUTINES,
  FORMAT,
  imageCommand,
  OPTIONS,
  OUT_OF_ORDER,
  OUTPUT,
  OUTPUT_FORMAT,
  PROGRESS_SHOWN,
  QUIET,
  SHARE_READING,
  SNAPSHOT,
  SOURCE_CACHE,
  TARGET_CACHE,
} from './options.ts';
import { IMAGE_WRITE_COMMANDS } from './table-write.ts';

const FILE: Argument = { name: 'IMAGE', kind: 'image', help: 'a disk image: raw, qcow2, compressed raw, or a block device' };
/** Each entry is implemented in a file of its own in this folder. */
export const IMAGE_COMMANDS: readonly Command[] = [
  imageCommand({
    name: 'info',
    summary: 'Show what an image says about itself',
    description: 'Opens this one file only, unless --backing-chain asks for all files of the chain, from the top down.',
    arguments: [FILE],
    options: [
      FORMAT,
      OUTPUT,
      { names: ['--backing-chain'], help: 'describe the backing files too; in JSON, an array' },
      SHARE_READING,
      ALLOW_BACKING,
    ],
    result: 'report',
    examples: ['img info disk.qcow2', 'img info --output=json --backing-chain overlay.qcow2'],
    load: async () => (await import('./info.ts')).info,
  }),
  imageCommand({
    name: 'map',
    summary: 'Show where the bytes of a disk are stored',
    arguments: [FILE],
    options: [
      FORMAT,
      OUTPUT,
      { names: ['-s', '--start-offset'], value: { name: 'OFFSET', kind: 'size' }, help: 'begin at this byte of the disk' },
      { names: ['-l', '--max-length'], value: { name: 'LENGTH', kind: 'size' }, help: 'describe at most this many bytes' },
      SHARE_READING,
      ALLOW_BACKING,
    ],
    result: 'report',
    examples: ['img map --output=json disk.qcow2', 'img map -s 1M -l 64K disk.qcow2'],
    load: async () => (await import('./map.ts')).map,
  }),
  imageCommand({
    name: 'check',
    summary: 'Check the refcounts and tables of a qcow2 image',
    description:
      'Counts what qemu-img check counts; nothing is changed without -r. The exit status is 0 when the image is clean, 1 when it could not be checked, ' +
      '2 when it is damaged, 3 when only space is lost (leaked clusters), and 63 when the format has nothing to check.',
    arguments: [FILE],
    options: [
      FORMAT,
      OUTPUT,
      {
        names: ['-r', '--repair'],
        value: { name: 'leaks|all', kind: 'text', choices: ['leaks', 'all'] },
        help: 'give lost space back (leaks), or count all references anew (all)',
      },
      QUIET,
      SHARE_READING,
      SOURCE_CACHE,
    ],
    result: 'report',
    examples: ['img check disk.qcow2', 'img check -r all disk.qcow2'],
    load: async () => (await import('./repair.ts')).checkOrRepair,
  }),
  imageCommand({
    name: 'compare',
    summary: 'Tell whether two images show the same disk',
    description:
      'Zeros behind the end of the shorter image do not count as a difference unless -s is given. The exit status is 0 when the disks are equal, ' +
      '1 when they differ, 2 when an image cannot be opened, 3 when its tables cannot be read and 4 when its data cannot be read.',
    arguments: [
      { name: 'IMAGE1', kind: 'image' },
      { name: 'IMAGE2', kind: 'image' },
    ],
    options: [
      { ...FORMAT, help: 'the format of the first image' },
      { ...FORMAT, names: ['-F', '--format2'], help: 'the format of the second image' },
      { names: ['-s', '--strict'], help: 'sizes, and what is stored where, have to be equal too' },
      QUIET,
      PROGRESS_SHOWN,
      SHARE_READING,
      SOURCE_CACHE,
      ALLOW_BACKING,
    ],
    result: 'report',
    examples: ['img compare disk.qcow2 disk.raw'],
    load: async () => (await import('./compare.ts')).compare,
  }),
  imageCommand({
    name: 'convert',
    summary: 'Copy the disk in an image into a new raw or qcow2 file',
    description:
      'The new file appears under its name when it is complete; it replaces a file that is there, but never the image itself or a file of its chain. ' +
      'Zeros are left out: they become holes.',
    arguments: [
      { name: 'IMAGE', kind: 'image', help: 'any image that can be read' },
      { name: 'TARGET', kind: 'host-file', help: 'the new file; for raw also a device or a pipe, which is written in order' },
    ],
    options: [
      FORMAT,
      OUTPUT_FORMAT,
      { ...OPTIONS, help: 'for qcow2: compat, cluster_size, refcount_bits, lazy_refcounts, compression_type' },
      { names: ['-c', '--compress'], help: 'compress the clusters of a qcow2 file' },
      {
        names: ['-S', '--sparse-size'],
        value: { name: 'SIZE', kind: 'size' },
        help: 'leave out runs of zeros of this length, 4K unless told otherwise; 0 writes them',
      },
      { ...SNAPSHOT, help: 'the disk as it was in this internal snapshot (id or name, or snapshot.id=, snapshot.name=)' },
      { names: ['-B', '--backing'], value: { name: 'FILE', kind: 'host-file' }, help: 'not supported yet' },
      { names: ['-n', '--no-create'], help: 'not supported: the target is always made anew' },
      COROUTINES,
      OUT_OF_ORDER,
      TARGET_CACHE,
      PROGRESS_SHOWN,
      QUIET,
      SHARE_READING,
      SOURCE_CACHE,
      ALLOW_BACKING,
    ],
    result: 'nothing',
    interruptible: true,
    examples: ['img convert disk.qcow2 disk.raw', 'img convert -O qcow2 -o cluster_size=4k disk.raw disk.qcow2'],
    load: async () => (await import('./convert.ts')).convert,
  }),
  ...IMAGE_WRITE_COMMANDS,
];

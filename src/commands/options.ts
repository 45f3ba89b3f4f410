/** The options that commands share, by group. */
import type { Command, Option, OptionGroup } from './declaration.ts';

/** Files below an image that may be opened although its folder is another. */
export const ALLOW_BACKING: Option = {
  names: ['--allow-backing'],
  value: { name: 'PATH', kind: 'host-file' },
  repeated: true,
  help: "a backing file, or a folder of them, that may be opened although it lies outside of the image's own folder",
};

export const GROUP_OPTIONS: Readonly<Record<OptionGroup, readonly Option[]>> = {
  image: [
    { names: ['--format'], value: { name: 'FORMAT', kind: 'text' }, help: 'the image is raw, qcow2, ... (else probed by its magic)' },
    {
      names: ['--checksums'],
      value: { name: 'verify|ignore', kind: 'text', choices: ['verify', 'ignore'] },
      help: 'with ignore, go on when a checksum of the file system is wrong',
    },
    ALLOW_BACKING,
  ],
  mount: [
    {
      names: ['--partition'],
      value: { name: 'N', kind: 'number' },
      help: 'partition N; 0 is the whole disk, -1 insists on exactly one operating system',
    },
    {
      names: ['-m', '--mount'],
      value: { name: 'DEV[:MOUNTPOINT]', kind: 'device' },
      repeated: true,
      help: 'mount this device, at / unless told otherwise; may be given several times',
    },
  ],
  write: [
    { names: ['--commit'], help: 'write the changes into IMAGE itself' },
    {
      names: ['--overlay'],
      value: { name: 'NEW.qcow2', kind: 'host-file' },
      help: 'leave IMAGE as it is and write the changes into a new qcow2 file backed by it',
    },
  ],
  json: [{ names: ['--json'], help: 'print JSON; errors, too, become one JSON object' }],
};

/** The order in which help shows the groups. */
const ORDER: readonly OptionGroup[] = ['mount', 'image', 'write', 'json'];

/** All options of a command, its own first: where a spelling stands twice its own counts. */
export function optionsOf(command: Command): readonly Option[] {
  const shared = ORDER.filter((group) => command.groups.includes(group)).flatMap((group) => GROUP_OPTIONS[group]);
  const own = new Set(command.options.flatMap((option) => option.names));
  return [...command.options, ...shared.filter((option) => !option.names.some((name) => own.has(name)))];
}

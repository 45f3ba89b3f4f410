/** What libguestfs tells the hypervisor that it starts: the part of qemu's command line that concerns drives and the connection. */
import { Refused } from '../errors.ts';

export interface DriveArguments {
  /** A file's name, or an address such as nbd:host:10809 or https://host/disk. */
  readonly file: string;
  /** `raw`, `qcow2`, ...; undefined: by magic. */
  readonly format?: string;
  /** The file is a qcow2 overlay that the library made and that is thrown away. */
  readonly readOnly: boolean;
  /** The label of the drive. */
  readonly label?: string;
  /** Bytes of a sector. */
  readonly blockSize?: number;
}

export interface HypervisorArguments {
  /** The socket where the client listens. */
  readonly socket: string;
  readonly drives: readonly DriveArguments[];
  readonly verbose: boolean;
}

/** Reads the words. Throws Refused when there is no socket among them: whoever starts this is no libguestfs. */
export function readHypervisorArguments(words: readonly string[]): HypervisorArguments {
  let socket: string | undefined;
  let verbose = false;
  const drives = new Map<string, DriveArguments>();
  const devices = new Map<string, ReadonlyMap<string, string>>();
  for (let i = 0; i + 1 < words.length; i++) {
    const value = words[i + 1] ?? '';
    switch (words[i]) {
      case '-append':
        verbose = value.split(' ').includes('guestfs_verbose=1');
        break;
      case '-chardev': {
        const options = splitOptions(value);
        if (options.get('') === 'socket' && options.get('id') === 'channel0') socket = options.get('path');
        break;
      }
      case '-drive': {
        const options = splitOptions(value);
        const id = options.get('id') ?? `drive${drives.size}`;
        if (id !== 'appliance') drives.set(id, driveOf(options));
        break;
      }
      case '-device': {
        const options = splitOptions(value);
        const drive = options.get('drive');
        if (drive !== undefined) devices.set(drive, options);
        break;
      }
      default:
        continue;
    }
    i++;
  }
  if (socket === undefined) throw new Refused('this is started by libguestfs in place of a hypervisor; see: guestless appliance env');
  const described = [...drives].map(([id, drive]) => ({ ...drive, ...deviceOf(devices.get(id)) }));
  return { socket, drives: described, verbose };
}

/** An option list of qemu: `key=value` between commas, `,,` for a comma; a first word without a key stands under the empty key. */
export function splitOptions(text: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  const parts = text.split(',');
  for (let i = 0; i < parts.length; i++) {
    let part = parts[i] ?? '';
    while (i + 2 < parts.length && parts[i + 1] === '') {
      part += `,${parts[i + 2] ?? ''}`;
      i += 2;
    }
    if (i + 2 === parts.length && parts[i + 1] === '') {
      part += ',';
      i++;
    }
    const equals = part.indexOf('=');
    if (equals < 0) options.set(options.size === 0 ? '' : part, options.size === 0 ? part : 'on');
    else options.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return options;
}

function driveOf(options: ReadonlyMap<string, string>): DriveArguments {
  const nested = options.get('file.file.filename');
  if (nested !== undefined) return { file: nested, format: options.get('file.driver') ?? 'qcow2', readOnly: true };
  const file = options.get('file') ?? '';
  const format = options.get('format');
  // The older form of an overlay: an ordinary file, but nobody minds what becomes of it.
  const readOnly = options.get('cache') === 'unsafe' && /\/overlay\d+\.qcow2$/.test(file);
  return { file, ...(format === undefined ? {} : { format }), readOnly };
}

function deviceOf(options: ReadonlyMap<string, string> | undefined): { label?: string; blockSize?: number } {
  const label = options?.get('serial');
  const blockSize = options?.get('logical_block_size');
  return {
    ...(label === undefined ? {} : { label }),
    ...(blockSize === undefined ? {} : { blockSize: Number(blockSize) }),
  };
}

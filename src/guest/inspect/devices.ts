/** Which device of the disk an fstab means. */
import { decodeName } from '../../bytes/text.ts';
import { GuestlessError } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { diskName, parseDeviceName, partitionName } from '../../partition/names.ts';
import type { DeviceInfo, Disk } from '../disk.ts';
import { unquote } from './shell-words.ts';

interface Known {
  readonly info: DeviceInfo;
  readonly label: string;
  readonly uuid: string;
  readonly type: string;
}

/** Answers fs_spec fields; what the devices hold is looked up when a field first asks for it. */
export class DeviceFinder {
  readonly #disk: Disk;
  #known: readonly Known[] | undefined;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** The device that a field names, on the file system `root` of the fstab; undefined when there is none such on this disk. */
  *find(spec: string, root: string): Io<string | undefined> {
    const tag = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.*)$/.exec(spec);
    if (tag !== null) return yield* this.#byTag(tag[1] as string, tagValue(tag[2] as string));
    const link = /^\/dev\/disk\/by-(uuid|label|partuuid|partlabel)\/(.*)$/.exec(spec);
    if (link !== null) return yield* this.#byTag((link[1] as string).toUpperCase(), udevUnescape(link[2] as string));
    if (spec === '/dev/root') return root;
    const byId = /^\/dev\/disk\/by-(?:id|path)\/.*-part([0-9]{1,4})$/.exec(spec);
    if (byId !== null) return this.#disk.drives.length === 1 ? yield* this.#existing(0, Number(byId[1])) : undefined;
    // Arrays, loop and network devices are made of others: their numbers say nothing of drives.
    const named = /^\/dev\/(?:[shv]d|xvd|nvme|mmcblk)/.test(spec) ? parseDeviceName(spec) : undefined;
    if (named !== undefined) return yield* this.#existing(named.index, named.number ?? 0);
    return undefined;
  }

  /** A drive (partition 0) or partition, if it is there. */
  *#existing(drive: number, partition: number): Io<string | undefined> {
    const name = partition === 0 ? diskName(drive) : partitionName(diskName(drive), partition);
    for (const device of yield* this.#disk.devices()) if (device.name === name) return name;
    return undefined;
  }

  *#byTag(tag: string, value: string): Io<string | undefined> {
    if (tag === 'PARTUUID' || tag === 'PARTLABEL') {
      for (const { name, partition } of yield* this.#disk.devices()) {
        const own = tag === 'PARTUUID' ? partition?.uuid?.toLowerCase() : partition?.name;
        if (own !== undefined && own === (tag === 'PARTUUID' ? value.toLowerCase() : value)) return name;
      }
      return undefined;
    }
    this.#known ??= yield* this.#identifyAll();
    const foldedCase = (known: Known): boolean => known.type === 'vfat' || known.type === 'ntfs' || known.type === 'exfat';
    const same = (a: string, b: string, fold: boolean): boolean => a === b || (fold && a.toLowerCase() === b.toLowerCase());
    for (const known of this.#known) {
      const own = tag === 'UUID' ? known.uuid : known.label;
      if (own !== '' && same(own, value, tag === 'UUID' || foldedCase(known))) return known.info.name;
    }
    return undefined;
  }

  *#identifyAll(): Io<readonly Known[]> {
    const known: Known[] = [];
    for (const info of yield* this.#disk.devices()) {
      if (info.partition?.kind === 'extended') continue;
      try {
        const signature = yield* this.#disk.identify(info.name);
        if (signature !== undefined) {
          known.push({ info, type: signature.type, label: decodeName(signature.label), uuid: signature.uuid ?? '' });
        }
      } catch (error) {
        if (!(error instanceof GuestlessError)) throw error;
      }
    }
    return known;
  }
}

/** The value of a tag, without quotes around it; blanks in it were escaped. */
function tagValue(text: string): string {
  return text.startsWith('"') || text.startsWith("'") ? unquote(text) : text;
}

/** udev writes characters that do not suit a file name as `\xHH` (systemd, encode_devnode_name). */
function udevUnescape(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

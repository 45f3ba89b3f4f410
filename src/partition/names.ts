/** Linux's names of disks and partitions: /dev/sda1, /dev/nvme0n1p2, /dev/mmcblk0p1. */

/** The name of the `index`-th disk (from 0): `/dev/sda` ... `/dev/sdz`, `/dev/sdaa` ... */
export function diskName(index: number, prefix = '/dev/sd'): string {
  let letters = '';
  for (let rest = index; rest >= 0; rest = Math.floor(rest / 26) - 1) letters = String.fromCharCode(97 + (rest % 26)) + letters;
  return prefix + letters;
}

/** The name of a partition: a `p` stands before the number when the disk's own name ends in a digit. */
export function partitionName(disk: string, number: number): string {
  return /\d$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`;
}

/** What a device name says. */
export interface DeviceName {
  /** The whole disk, such as `/dev/sda` or `/dev/nvme0n1`. */
  readonly disk: string;
  /** Position of the disk among its kind, from 0: `b` in `sdb` is 1, nvme1n1 is 1. */
  readonly index: number;
  /** The partition's number; absent for a whole disk. */
  readonly number?: number;
}

const LETTERED = /^(\/dev\/(?:[shv]d|xvd))([a-z]{1,4})([1-9]\d{0,3})?$/;
const NUMBERED = /^(\/dev\/(?:nvme(\d{1,4})n\d{1,4}|mmcblk(\d{1,4})|loop(\d{1,4})|md(\d{1,4})|nbd(\d{1,4})))(?:p([1-9]\d{0,3}))?$/;

/** Takes a device name apart; undefined for what names neither a disk nor a partition. */
export function parseDeviceName(name: string): DeviceName | undefined {
  const lettered = LETTERED.exec(name);
  if (lettered !== null) {
    const [, prefix = '', letters = '', number] = lettered;
    let index = 0;
    for (const letter of letters) index = index * 26 + (letter.charCodeAt(0) - 96);
    return { disk: prefix + letters, index: index - 1, ...(number === undefined ? {} : { number: Number(number) }) };
  }
  const numbered = NUMBERED.exec(name);
  if (numbered === null) return undefined;
  const [, disk = '', nvme, mmc, loop, md, nbd, number] = numbered;
  const index = Number(nvme ?? mmc ?? loop ?? md ?? nbd ?? 0);
  return { disk, index, ...(number === undefined ? {} : { number: Number(number) }) };
}

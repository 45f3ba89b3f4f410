/** The volume descriptors (ECMA-119 section 8), chosen as Linux chooses them (fs/isofs/inode.c, isofs_fill_super). */
import type { Bytes } from '../bytes/struct.ts';
import { latin1 } from '../bytes/text.ts';
import { Corrupt, Unsupported } from '../errors.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import {
  DIRECTORY_RECORD,
  FIRST_DESCRIPTOR,
  MAX_DESCRIPTORS,
  SECTOR,
  TYPE_PRIMARY,
  TYPE_SUPPLEMENTARY,
  TYPE_TERMINATOR,
  VOLUME_DESCRIPTOR,
  type VolumeDescriptor,
} from './format.ts';

/** A volume as its descriptors tell. */
export interface Descriptors {
  readonly primary: VolumeDescriptor;
  /** Bytes of a logical block: 512, 1024 or 2048. */
  readonly blockSize: number;
  /** The logical block at which the root directory begins, of the primary descriptor. */
  readonly root: number;
  /** The same of the Joliet descriptor, where there is one. */
  readonly jolietRoot?: number;
}

const STANDARD = 'CD001';
const HIGH_SIERRA = 'CDROM';

/** Reads the descriptors. Throws Corrupt where there is no volume, Unsupported for High Sierra. */
export function* readDescriptors(device: BlockDevice): Io<Descriptors> {
  let primary: VolumeDescriptor | undefined;
  let joliet: VolumeDescriptor | undefined;
  for (let sector = FIRST_DESCRIPTOR; sector < FIRST_DESCRIPTOR + MAX_DESCRIPTORS; sector++) {
    const at = sector * SECTOR;
    if (at + SECTOR > device.size) break;
    const bytes = yield* device.read(at, SECTOR);
    const descriptor = VOLUME_DESCRIPTOR.read(bytes);
    if (latin1(descriptor.standardIdentifier) !== STANDARD) {
      if (latin1(bytes.subarray(9, 14)) === HIGH_SIERRA) throw new Unsupported('High Sierra', 'a disc in High Sierra format');
      continue;
    }
    if (descriptor.type === TYPE_TERMINATOR) break;
    if (descriptor.type === TYPE_PRIMARY) primary ??= descriptor;
    else if (descriptor.type === TYPE_SUPPLEMENTARY && isJoliet(descriptor.escapeSequences)) {
      joliet = descriptor;
      break;
    }
  }
  if (primary === undefined) throw new Corrupt('no primary volume descriptor', { layer: 'iso9660', offset: FIRST_DESCRIPTOR * SECTOR });
  const blockSize = primary.logicalBlockSize;
  if (![512, 1024, 2048].includes(blockSize)) throw new Corrupt(`logical blocks of ${blockSize} bytes`, { layer: 'iso9660' });
  return {
    primary,
    blockSize,
    root: rootBlock(primary),
    ...(joliet === undefined ? {} : { jolietRoot: rootBlock(joliet) }),
  };
}

/** Levels 1 to 3 of UCS-2 (Joliet specification, "Escape Sequences Field"). */
function isJoliet(sequence: Bytes): boolean {
  return sequence[0] === 0x25 && sequence[1] === 0x2f && [0x40, 0x43, 0x45].includes(sequence[2] ?? 0);
}

function rootBlock({ rootDirectoryRecord }: VolumeDescriptor): number {
  const record = DIRECTORY_RECORD.read(rootDirectoryRecord);
  return record.locationOfExtent + record.extendedAttributeRecordLength;
}

/** Text of an identifier field, without the blanks or zeros that fill it up. */
export function identifierText(field: Bytes): string {
  return latin1(field).replace(/[ \0]{1,128}$/, '');
}

/** What the primary volume descriptor of a device says, for those who ask about the volume and not its files. */
export function* readPrimaryDescriptor(device: BlockDevice): Io<VolumeDescriptor> {
  return (yield* readDescriptors(device)).primary;
}

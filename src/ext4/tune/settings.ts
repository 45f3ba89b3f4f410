/** Changing what the superblock says, on a device or of a mounted file system: what tune2fs and e2label do. */
import type { Bytes } from '../../bytes/struct.ts';
import { Posix } from '../../errors.ts';
import type { WritableDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { isTransactional, Transactions } from '../../io/transaction.ts';
import { EXT4_SUPER_BLOCK, EXT4_SUPER_MAGIC, INCOMPAT, type RawSuperblock, SUPERBLOCK_OFFSET } from '../format/index.ts';
import { sealSuperblock } from '../mkfs/superblock.ts';
import type { Superblock } from '../superblock.ts';
import { parseSuperblock } from '../superblock.ts';
import type { WritableExt4 } from '../write/writable-ext4.ts';

const LABEL_LENGTH = 16;
const PATH_LENGTH = 64;
/** `s_errors` by the words of tune2fs. */
const ERROR_BEHAVIOURS: Readonly<Record<string, number>> = { continue: 1, 'remount-ro': 2, panic: 3 };

export interface Ext4Settings {
  /** At most 16 bytes. */
  readonly label?: Bytes;
  /** Mounts after which e2fsck looks; 0 or -1: never for their number. */
  readonly maximumMountCount?: number;
  readonly mountCount?: number;
  /** `continue`, `remount-ro` or `panic`. */
  readonly errorBehaviour?: string;
  /** Seconds between checks; 0: never for their age. */
  readonly checkInterval?: number;
  /** Percent of the blocks, 0 to 50. */
  readonly reservedPercentage?: number;
  readonly reservedBlocks?: number;
  readonly reservedUid?: number;
  readonly reservedGid?: number;
  readonly lastMounted?: Bytes;
}

const invalid = (message: string): Posix => new Posix('EINVAL', { layer: 'ext4' }, message);

/** Runs `body` as a transaction of a device that takes them. */
export function* asOne<T>(device: WritableDevice, body: () => Io<T>): Io<T> {
  if (!isTransactional(device)) return yield* body();
  return yield* new Transactions(device, () => ({ restore: () => {}, release: () => {} })).run(body);
}

/** The 1024 bytes of the primary superblock. Throws Posix (EINVAL) where there is none. */
export function* superblockBytes(device: WritableDevice): Io<Bytes> {
  if (device.size < SUPERBLOCK_OFFSET + EXT4_SUPER_BLOCK.size)
    throw invalid('the device is too small for an ext2, ext3 or ext4 file system');
  const bytes = (yield* device.read(SUPERBLOCK_OFFSET, EXT4_SUPER_BLOCK.size)).slice();
  if (EXT4_SUPER_BLOCK.read(bytes).s_magic !== EXT4_SUPER_MAGIC) throw invalid('bad magic number in the superblock: no ext2, ext3 or ext4');
  return bytes;
}

/** The fields of the superblock that settings stand for. Throws Posix (EINVAL). */
function fieldsOf(superblock: Pick<Superblock, 'blocksCount'>, settings: Ext4Settings): Partial<RawSuperblock> {
  const fields: Partial<RawSuperblock> = {};
  const whole = (value: number, least: number, most: number, what: string): number => {
    if (!(Number.isInteger(value) && value >= least && value <= most)) throw invalid(`invalid ${what}: ${value}`);
    return value;
  };
  if (settings.label !== undefined) fields.s_volume_name = padded(settings.label, LABEL_LENGTH, 'a label');
  if (settings.lastMounted !== undefined)
    fields.s_last_mounted = padded(settings.lastMounted.subarray(0, PATH_LENGTH), PATH_LENGTH, 'a path');
  const { maximumMountCount, mountCount, errorBehaviour, checkInterval, reservedPercentage, reservedBlocks } = settings;
  if (maximumMountCount !== undefined) {
    const count = whole(maximumMountCount, -1, 16000, 'maximal mount count');
    fields.s_max_mnt_count = count === 0 || count === -1 ? 0xffff : count;
  }
  if (mountCount !== undefined) fields.s_mnt_count = whole(mountCount, 0, 16000, 'mount count');
  if (errorBehaviour !== undefined) {
    const code = Object.hasOwn(ERROR_BEHAVIOURS, errorBehaviour) ? ERROR_BEHAVIOURS[errorBehaviour] : undefined;
    if (code === undefined) throw invalid(`bad error behavior: ${errorBehaviour}`);
    fields.s_errors = code;
  }
  if (checkInterval !== undefined) fields.s_checkinterval = whole(checkInterval, 0, 2 ** 32 - 1, 'interval');
  const reserved = reservedBlocks ?? (reservedPercentage === undefined ? undefined : share(superblock, reservedPercentage));
  if (reserved !== undefined) {
    whole(reserved, 0, Math.floor(superblock.blocksCount / 2), 'number of reserved blocks');
    fields.s_r_blocks_count_lo = reserved % 2 ** 32;
    fields.s_r_blocks_count_hi = Math.floor(reserved / 2 ** 32);
  }
  if (settings.reservedUid !== undefined) fields.s_def_resuid = whole(settings.reservedUid, 0, 65535, 'user');
  if (settings.reservedGid !== undefined) fields.s_def_resgid = whole(settings.reservedGid, 0, 65535, 'group');
  return fields;
}

function share({ blocksCount }: Pick<Superblock, 'blocksCount'>, percentage: number): number {
  if (!(percentage >= 0 && percentage <= 50)) throw invalid(`invalid reserved blocks percentage: ${percentage}`);
  return Math.floor((percentage * blocksCount) / 100);
}

function padded(bytes: Bytes, length: number, what: string): Bytes {
  if (bytes.length > length || bytes.includes(0)) throw invalid(`${what} has at most ${length} bytes`);
  const field = new Uint8Array(length);
  field.set(bytes);
  return field;
}

/** Changes settings on a device that is not mounted. Throws Posix (EINVAL), Corrupt, Unsupported. */
export function* tuneExt4(device: WritableDevice, settings: Ext4Settings): Io<void> {
  yield* asOne(device, function* () {
    const bytes = yield* superblockBytes(device);
    if (isJournalDevice(bytes)) {
      if (settings.label === undefined || Object.keys(settings).length > 1) throw invalid('this is an external journal');
      EXT4_SUPER_BLOCK.write(bytes, 0, fieldsOf({ blocksCount: 0 }, settings));
    } else EXT4_SUPER_BLOCK.write(bytes, 0, fieldsOf(parseSuperblock(bytes), settings));
    sealSuperblock(bytes);
    yield* device.write(SUPERBLOCK_OFFSET, bytes);
  });
}

function isJournalDevice(bytes: Bytes): boolean {
  return (EXT4_SUPER_BLOCK.read(bytes).s_feature_incompat & INCOMPAT.journal_dev) !== 0;
}

/** Changes settings of a mounted file system. */
export function* tuneMountedExt4(ext4: WritableExt4, settings: Ext4Settings): Io<void> {
  const { label, ...rest } = settings;
  const fields = fieldsOf(ext4.volume.superblock, rest);
  yield* ext4.transaction(function* () {
    if (label !== undefined) yield* ext4.setLabel(label);
    if (Object.keys(fields).length > 0) changeMounted(ext4, fields);
  });
}

/** Changes fields of a mounted superblock, and what is decoded of it. */
export function changeMounted({ volume }: WritableExt4, fields: Partial<RawSuperblock>): void {
  // Naming a feature word makes the volume decode the superblock anew.
  volume.changeSuperblock({ ...fields, s_feature_compat: volume.superblock.compat });
}

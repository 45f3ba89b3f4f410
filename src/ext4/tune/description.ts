/** What tune2fs -l of e2fsprogs 1.47.0 prints of a superblock, as pairs. */
import { type Bytes, decodeName, untilNul } from '../../bytes/index.ts';
import { isZero } from '../../bytes/text.ts';
import { uuidText } from '../../bytes/uuid.ts';
import { COMPAT, EXT4_SUPER_BLOCK, featureNames, INCOMPAT, type RawSuperblock, RO_COMPAT } from '../format/index.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const SYSTEMS = ['Linux', 'Hurd', 'Masix', 'FreeBSD', 'Lites'];
const ERRORS = ['Unknown (continue)', 'Continue', 'Remount read-only', 'Panic'];
const HASHES = ['legacy', 'half_md4', 'tea', 'legacy_unsigned', 'half_md4_unsigned', 'tea_unsigned', 'siphash'];
const MOUNT_OPTIONS: readonly (readonly [number, number, string])[] = [
  [0x1, 0x1, 'debug'],
  [0x2, 0x2, 'bsdgroups'],
  [0x4, 0x4, 'user_xattr'],
  [0x8, 0x8, 'acl'],
  [0x10, 0x10, 'uid16'],
  [0x60, 0x20, 'journal_data'],
  [0x60, 0x40, 'journal_data_ordered'],
  [0x60, 0x60, 'journal_data_writeback'],
  [0x100, 0x100, 'nobarrier'],
  [0x200, 0x200, 'block_validity'],
  [0x400, 0x400, 'discard'],
  [0x800, 0x800, 'nodelalloc'],
];
const FLAGS = ['signed_directory_hash', 'unsigned_directory_hash', 'test_filesystem'];

/** ctime(3) in UTC, without the line's end. */
function time(low: number, high: number): string {
  const seconds = (low | 0) + high * 2 ** 32 + (high > 0 && (low | 0) < 0 ? 2 ** 32 : 0);
  const date = new Date(seconds * 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${clock} ${date.getUTCFullYear()}`;
}

function interval(seconds: number): string {
  if (seconds === 0) return '<none>';
  const parts: string[] = [];
  let left = seconds;
  for (const [unit, name] of [
    [604800, 'week'],
    [86400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ] as const) {
    const count = Math.floor(left / unit);
    left -= count * unit;
    if (count > 0) parts.push(`${count} ${name}${count > 1 ? 's' : ''}`);
  }
  return parts.join(', ');
}

/** Each number in the unit that keeps it readable, rounded. */
function written(kilobytes: number): string {
  if (kilobytes < 2 ** 13) return `${kilobytes} kB`;
  if (kilobytes < 2 ** 23) return `${Math.floor((kilobytes + 2 ** 9) / 2 ** 10)} MB`;
  if (kilobytes < 2 ** 33) return `${Math.floor((kilobytes + 2 ** 19) / 2 ** 20)} GB`;
  return `${Math.floor((kilobytes + 2 ** 29) / 2 ** 30)} TB`;
}

const text = (bytes: Bytes, none: string): string => (bytes[0] === 0 ? none : decodeName(untilNul(bytes)));
const uuid = (bytes: Bytes): string => (isZero(bytes) ? '<none>' : uuidText(bytes));
const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;

function features(raw: RawSuperblock): string {
  const names = [
    ...featureNames(raw.s_feature_compat, COMPAT, 'C'),
    ...featureNames(raw.s_feature_incompat, INCOMPAT, 'I').map((name) => (name === 'extents' ? 'extent' : name)),
    ...featureNames(raw.s_feature_ro_compat, RO_COMPAT, 'R'),
  ];
  return names.length === 0 ? '(none)' : names.join(' ');
}

function hashSeed(words: readonly number[]): Bytes {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setUint32(i * 4, word, true);
  });
  return bytes;
}

/** The pairs of `tune2fs -l` for the 1024 bytes of a superblock. Times are in UTC. */
export function describeSuperblock(bytes: Bytes): [string, string][] {
  const raw = EXT4_SUPER_BLOCK.read(bytes);
  const pairs: [string, string][] = [];
  const add = (key: string, value: string | number): void => {
    pairs.push([key, String(value)]);
  };
  const optional = (key: string, value: number, shown: string | number = value): void => {
    if (value !== 0) add(key, shown);
  };
  const joined = (low: number, high: number): number => low + ((raw.s_feature_incompat & INCOMPAT['64bit']) === 0 ? 0 : high * 2 ** 32);
  const blockSize = 1024 * 2 ** raw.s_log_block_size;
  const bigalloc = (raw.s_feature_ro_compat & RO_COMPAT.bigalloc) !== 0;
  const inodeSize = raw.s_rev_level === 0 ? 128 : raw.s_inode_size;
  add('Filesystem volume name', text(raw.s_volume_name, '<none>'));
  add('Last mounted on', text(raw.s_last_mounted, '<not available>'));
  add('Filesystem UUID', uuid(raw.s_uuid));
  add('Filesystem magic number', `0x${raw.s_magic.toString(16).toUpperCase()}`);
  add(
    'Filesystem revision #',
    `${raw.s_rev_level}${raw.s_rev_level === 0 ? ' (original)' : raw.s_rev_level === 1 ? ' (dynamic)' : ' (unknown)'}`,
  );
  add('Filesystem features', features(raw));
  const flags = FLAGS.filter((_, i) => (raw.s_flags & (1 << i)) !== 0);
  if (raw.s_flags !== 0) add('Filesystem flags', flags.map((name) => `${name} `).join(''));
  const mount = MOUNT_OPTIONS.filter(([mask, value]) => (raw.s_default_mount_opts & mask) === value).map(([, , name]) => name);
  add('Default mount options', mount.length === 0 ? '(none)' : mount.join(' '));
  if (raw.s_mount_opts[0] !== 0) add('Mount options', text(raw.s_mount_opts, ''));
  add('Filesystem state', `${(raw.s_state & 1) === 0 ? 'not clean' : 'clean'}${(raw.s_state & 2) === 0 ? '' : ' with errors'}`);
  add('Errors behavior', ERRORS[raw.s_errors] ?? ERRORS[0]!);
  add('Filesystem OS type', SYSTEMS[raw.s_creator_os] ?? 'unknown');
  add('Inode count', raw.s_inodes_count);
  add('Block count', joined(raw.s_blocks_count_lo, raw.s_blocks_count_hi));
  add('Reserved block count', joined(raw.s_r_blocks_count_lo, raw.s_r_blocks_count_hi));
  optional('Overhead clusters', raw.s_overhead_clusters);
  add('Free blocks', joined(raw.s_free_blocks_count_lo, raw.s_free_blocks_count_hi));
  add('Free inodes', raw.s_free_inodes_count);
  add('First block', raw.s_first_data_block);
  add('Block size', blockSize);
  if (bigalloc) add('Cluster size', 1024 * 2 ** raw.s_log_cluster_size);
  else add('Fragment size', 1024 * 2 ** raw.s_log_cluster_size);
  if ((raw.s_feature_incompat & INCOMPAT['64bit']) !== 0) add('Group descriptor size', raw.s_desc_size);
  optional('Reserved GDT blocks', raw.s_reserved_gdt_blocks);
  add('Blocks per group', raw.s_blocks_per_group);
  add(bigalloc ? 'Clusters per group' : 'Fragments per group', raw.s_clusters_per_group);
  add('Inodes per group', raw.s_inodes_per_group);
  add('Inode blocks per group', Math.ceil((raw.s_inodes_per_group * inodeSize) / blockSize));
  optional('First meta block group', raw.s_first_meta_bg);
  optional('RAID stride', raw.s_raid_stride);
  optional('RAID stripe width', raw.s_raid_stripe_width);
  optional('Flex block group size', raw.s_log_groups_per_flex, 2 ** raw.s_log_groups_per_flex);
  optional('Filesystem created', raw.s_mkfs_time, time(raw.s_mkfs_time, raw.s_mkfs_time_hi));
  add('Last mount time', raw.s_mtime === 0 && raw.s_mtime_hi === 0 ? 'n/a' : time(raw.s_mtime, raw.s_mtime_hi));
  add('Last write time', time(raw.s_wtime, raw.s_wtime_hi));
  add('Mount count', raw.s_mnt_count);
  add('Maximum mount count', raw.s_max_mnt_count > 0x7fff ? raw.s_max_mnt_count - 0x10000 : raw.s_max_mnt_count);
  add('Last checked', time(raw.s_lastcheck, raw.s_lastcheck_hi));
  add('Check interval', `${raw.s_checkinterval} (${interval(raw.s_checkinterval)})`);
  optional('Next check after', raw.s_checkinterval, time((raw.s_lastcheck + raw.s_checkinterval) % 2 ** 32, raw.s_lastcheck_hi));
  optional('Lifetime writes', Number(raw.s_kbytes_written), written(Number(raw.s_kbytes_written)));
  add('Reserved blocks uid', `${raw.s_def_resuid} (user ${raw.s_def_resuid === 0 ? 'root' : 'unknown'})`);
  add('Reserved blocks gid', `${raw.s_def_resgid} (group ${raw.s_def_resgid === 0 ? 'root' : 'unknown'})`);
  if (raw.s_rev_level >= 1) {
    add('First inode', raw.s_first_ino);
    add('Inode size', inodeSize);
    optional('Required extra isize', raw.s_min_extra_isize);
    optional('Desired extra isize', raw.s_want_extra_isize);
  }
  if (!isZero(raw.s_journal_uuid)) add('Journal UUID', uuidText(raw.s_journal_uuid));
  optional('Journal inode', raw.s_journal_inum);
  optional('Journal device', raw.s_journal_dev, hex(raw.s_journal_dev, 4));
  optional('First orphan inode', raw.s_last_orphan);
  if ((raw.s_feature_compat & COMPAT.dir_index) !== 0 || raw.s_def_hash_version !== 0) {
    add('Default directory hash', HASHES[raw.s_def_hash_version] ?? `unknown ${raw.s_def_hash_version}`);
  }
  const seed = hashSeed(raw.s_hash_seed);
  if (!isZero(seed)) add('Directory Hash Seed', uuidText(seed));
  if (raw.s_jnl_backup_type !== 0) add('Journal backup', raw.s_jnl_backup_type === 1 ? 'inode blocks' : `type ${raw.s_jnl_backup_type}`);
  const backups = raw.s_backup_bgs.filter((group) => group !== 0);
  if (backups.length > 0) add('Backup block groups', backups.map((group) => `${group} `).join(''));
  optional('FS Error count', raw.s_error_count);
  if ((raw.s_feature_incompat & INCOMPAT.mmp) !== 0) {
    add('MMP block number', String(raw.s_mmp_block));
    add('MMP update interval', raw.s_mmp_update_interval);
  }
  optional('User quota inode', raw.s_usr_quota_inum);
  optional('Group quota inode', raw.s_grp_quota_inum);
  optional('Project quota inode', raw.s_prj_quota_inum);
  if ((raw.s_feature_ro_compat & RO_COMPAT.metadata_csum) !== 0) {
    add('Checksum type', raw.s_checksum_type === 1 ? 'crc32c' : `unknown ${raw.s_checksum_type}`);
    add('Checksum', hex(raw.s_checksum, 8));
  }
  if ((raw.s_feature_incompat & INCOMPAT.metadata_csum_seed) !== 0) add('Checksum seed', hex(raw.s_checksum_seed, 8));
  if ((raw.s_feature_compat & COMPAT.orphan_file) !== 0) add('Orphan file inode', raw.s_orphan_file_inum);
  return pairs;
}

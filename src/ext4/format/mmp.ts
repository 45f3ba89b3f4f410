/** Multiple mount protection, `struct mmp_struct` (fs/ext4/ext4.h). */
import { le, raw, type Struct, struct } from '../../bytes/struct.ts';

export const EXT4_MMP_MAGIC = 0x004d4d50;
/** `mmp_seq` when nobody has it mounted. */
export const EXT4_MMP_SEQ_CLEAN = 0xff4d4d50;
/** `mmp_seq` while e2fsck runs. */
export const EXT4_MMP_SEQ_FSCK = 0xe24d4d50;

const FIELDS = {
  mmp_magic: le.u32(0x00),
  mmp_seq: le.u32(0x04),
  mmp_time: le.u64bits(0x08),
  mmp_nodename: raw(0x10, 64),
  mmp_bdevname: raw(0x50, 32),
  mmp_check_interval: le.u16(0x70),
  mmp_checksum: le.u32(0x3fc),
};
export const MMP_STRUCT: Struct<typeof FIELDS> = struct('mmp_struct', 1024, FIELDS);

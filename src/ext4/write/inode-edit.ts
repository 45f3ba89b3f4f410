/** One inode while it is being changed: its bytes, and the fields under the kernel's names. */
import { type Bytes, type Field, viewOf } from '../../bytes/struct.ts';
import { Posix } from '../../errors.ts';
import { S_IFMT, S_IFREG, type Timestamp } from '../../filesystem/filesystem.ts';
import { hasChecksumHigh, inodeChecksum } from '../checksum.ts';
import type { RawSuperblock } from '../format/index.ts';
import { EXT4_HUGE_FILE_FL, EXT4_INODE, EXT4_INODE_128, INCOMPAT, type RawInode, RO_COMPAT } from '../format/index.ts';
import { encodeTime, type Inode, parseInode } from '../inode.ts';
import type { Volume } from '../volume.ts';

/** The extra fields that a new inode gets: up to `i_projid`. */
const EXTRA_SIZE = 32;
const TWO_32 = 0x1_0000_0000;
/** The largest number that `i_blocks` holds in units of 512 bytes: 48 bits with huge_file, else 32. */
const MAX_BLOCKS_48 = 2 ** 48 - 1;
const MAX_BLOCKS_32 = 2 ** 32 - 1;

/** Times to set; what is absent stays. */
export interface InodeTimes {
  readonly atime?: Timestamp | undefined;
  readonly mtime?: Timestamp | undefined;
  readonly ctime?: Timestamp | undefined;
  readonly btime?: Timestamp | undefined;
}

/** What is needed of the file system whose inodes are changed. */
export interface EditVolume extends Volume {
  readonly now: () => Timestamp;
  readonly random: () => number;
  changeSuperblock(change: Partial<RawSuperblock>): void;
}

export class InodeEdit {
  readonly number: number;
  /** All `s_inode_size` bytes; attributes inside of the inode are changed here, then {@link touch} is called. */
  readonly bytes: Bytes;
  readonly #view: DataView;
  readonly #volume: EditVolume;
  #changed = false;
  #inode: Inode | undefined;

  constructor(volume: EditVolume, number: number, bytes: Bytes) {
    this.#volume = volume;
    this.number = number;
    this.bytes = bytes;
    this.#view = viewOf(bytes);
  }

  /** An inode as it is right after its allocation: links 0, no mode yet, times now. `zeros`: as many as an inode has bytes. */
  static fresh(volume: EditVolume, number: number, zeros: Bytes): InodeEdit {
    const edit = new InodeEdit(volume, number, zeros);
    const { raw, inodeSize } = volume.superblock;
    const extra = inodeSize === 128 ? 0 : Math.min(inodeSize - 128, Math.max(raw.s_want_extra_isize, raw.s_min_extra_isize, EXTRA_SIZE));
    const view = edit.#view;
    if (extra > 0) view.setUint16(0x80, extra & ~3, true);
    view.setUint32(0x64, volume.random() >>> 0, true);
    view.setUint32(0x24, 1, true);
    const now = volume.now();
    edit.setTimes({ atime: now, mtime: now, ctime: now, btime: now });
    return edit;
  }

  get changed(): boolean {
    return this.#changed;
  }

  /** The inode as it now stands, decoded; a new object after every change. */
  get inode(): Inode {
    this.#inode ??= this.#volume.inodes.get(this.number) ?? parseInode(this.#volume.superblock, this.number, this.bytes, this.#view, 0);
    return this.#inode;
  }

  /** Type and permission bits; this and the next ones without decoding the rest. */
  get mode(): number {
    return this.#view.getUint16(0x00, true);
  }

  get flags(): number {
    return this.#view.getUint32(0x20, true);
  }

  /** Length in bytes. */
  get size(): number {
    if ((this.mode & S_IFMT) !== S_IFREG) return this.inode.size;
    return this.#view.getUint32(0x04, true) + this.#view.getUint32(0x6c, true) * TWO_32;
  }

  get generation(): number {
    return this.#view.getUint32(0x64, true);
  }

  /** `i_extra_isize`. */
  get #extra(): number {
    return this.bytes.length > 128 ? this.#view.getUint16(0x80, true) : 0;
  }

  /** Changes fields. Fields behind the inode's extra size do not exist and are passed over. */
  change(fields: Partial<RawInode>): void {
    if (this.bytes.length >= EXT4_INODE.size) {
      const view = this.#view;
      if (fields.i_extra_isize !== undefined) view.setUint16(0x80, fields.i_extra_isize, true);
      const end = 128 + view.getUint16(0x80, true);
      for (const name in fields) {
        const field: Field<unknown> = EXT4_INODE.fields[name as keyof RawInode];
        const value = fields[name as keyof RawInode];
        if (value !== undefined && (field.offset < 128 || field.offset + field.length <= end)) field.set(view, field.offset, value);
      }
    } else EXT4_INODE_128.write(this.bytes, 0, fields);
    this.touch();
  }

  /** Sets what makes a new inode one of a kind: type and permission bits, links and `EXT4_*_FL`. */
  become(mode: number, links: number, flags: number): void {
    this.#view.setUint16(0x00, mode, true);
    this.#view.setUint16(0x1a, links, true);
    this.#view.setUint32(0x20, flags, true);
    this.touch();
  }

  /** Gives back the inode as it is now. */
  saved(): () => void {
    const bytes = this.bytes.slice();
    const changed = this.#changed;
    return () => {
      this.bytes.set(bytes);
      this.touch();
      this.#changed = changed;
    };
  }

  /** Says that `bytes` were changed. */
  touch(): void {
    this.#changed = true;
    this.#inode = undefined;
    this.#volume.inodes.delete(this.number);
  }

  /** Sets the length. The caller has seen to it that the file system can hold it ({@link checkSize} in file-write). */
  setSize(size: number): void {
    this.#view.setUint32(0x04, size % TWO_32, true);
    this.#view.setUint32(0x6c, Math.floor(size / TWO_32), true);
    this.touch();
    if (size >= 0x8000_0000 && (this.#volume.superblock.roCompat & RO_COMPAT.large_file) === 0 && this.inode.kind === 'file') {
      this.#volume.changeSuperblock({ s_feature_ro_compat: this.#volume.superblock.roCompat | RO_COMPAT.large_file });
    }
  }

  /** Adds blocks of the file system to `i_blocks`; a negative number takes them away. Throws Posix EFBIG beyond what the field holds. */
  addBlocks(count: number): void {
    const { blockSize, roCompat } = this.#volume.superblock;
    const hugeFile = (roCompat & RO_COMPAT.huge_file) !== 0;
    const sectors = count * (blockSize / 512);
    if ((this.flags & EXT4_HUGE_FILE_FL) === 0) {
      // Most files by far: the low half stays enough.
      const low = this.#view.getUint32(0x1c, true) + sectors;
      if (low >= 0 && low <= MAX_BLOCKS_32) {
        this.#view.setUint32(0x1c, low, true);
        this.touch();
        return;
      }
    }
    this.#setBlocks(this.inode.blocks + sectors, blockSize, hugeFile);
  }

  #setBlocks(sectors: number, blockSize: number, hugeFile: boolean): void {
    const flags = this.inode.flags;
    if (sectors <= (hugeFile ? MAX_BLOCKS_48 : MAX_BLOCKS_32)) {
      this.change({
        i_blocks_lo: sectors % TWO_32,
        ...(hugeFile ? { i_blocks_high: Math.floor(sectors / TWO_32) } : {}),
        ...((flags & EXT4_HUGE_FILE_FL) !== 0 ? { i_flags: (flags & ~EXT4_HUGE_FILE_FL) >>> 0 } : {}),
      });
      return;
    }
    if (!hugeFile) throw new Posix('EFBIG', { layer: 'ext4', inode: this.number });
    const blocks = sectors / (blockSize / 512);
    this.change({
      i_blocks_lo: blocks % TWO_32,
      i_blocks_high: Math.floor(blocks / TWO_32),
      i_flags: (flags | EXT4_HUGE_FILE_FL) >>> 0,
    });
  }

  setOwner(uid: number | undefined, gid: number | undefined): void {
    const view = this.#view;
    if (uid !== undefined) {
      view.setUint16(0x02, uid & 0xffff, true);
      view.setUint16(0x78, uid >>> 16, true);
    }
    if (gid !== undefined) {
      view.setUint16(0x18, gid & 0xffff, true);
      view.setUint16(0x7a, gid >>> 16, true);
    }
    this.touch();
  }

  /** Times; an inode of 128 bytes keeps whole seconds up to 2038 and clamps what is later. */
  setTimes({ atime, mtime, ctime, btime }: InodeTimes): void {
    const extra = this.#extra;
    if (ctime !== undefined) this.#setTime(ctime, 0x0c, 0x84, extra >= 8);
    if (mtime !== undefined) this.#setTime(mtime, 0x10, 0x88, extra >= 12);
    if (atime !== undefined) this.#setTime(atime, 0x08, 0x8c, extra >= 16);
    if (btime !== undefined && extra >= 20) this.#setTime(btime, 0x90, 0x94, extra >= 24);
    this.touch();
  }

  #setTime(time: Timestamp, at: number, extraAt: number, hasExtra: boolean): void {
    const { seconds, extra } = encodeTime(hasExtra ? time : { seconds: Math.min(time.seconds, 0x7fff_ffff), nanoseconds: 0 });
    this.#view.setUint32(at, seconds, true);
    if (hasExtra) this.#view.setUint32(extraAt, extra, true);
  }

  /** Sets the place of the block of attributes; 0: none. */
  setFileAcl(block: number): void {
    const has64bit = (this.#volume.superblock.incompat & INCOMPAT['64bit']) !== 0;
    this.change({ i_file_acl_lo: block % TWO_32, ...(has64bit ? { i_file_acl_high: Math.floor(block / TWO_32) } : {}) });
  }

  /** Puts the checksum in, before the bytes are written. */
  seal(): void {
    const { metadataCsum, checksumSeed, inodeSize } = this.#volume.superblock;
    if (!metadataCsum) return;
    const sum = inodeChecksum(checksumSeed, this.number, this.bytes, 0, inodeSize);
    const view = this.#view;
    view.setUint16(0x7c, sum & 0xffff, true);
    if (hasChecksumHigh(this.bytes, 0, inodeSize)) view.setUint16(0x82, sum >>> 16, true);
  }
}

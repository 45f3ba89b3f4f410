/** What a platform has to offer so that an image's file can be changed whole or not at all. */
import type { Bytes } from '../bytes/struct.ts';
import type { Io } from './effect.ts';
import type { WritableSource } from './source.ts';

/** What the platform does for a commit. Its calls are short; each is made as an effect. */
export interface CommitHost {
  /** The image's file, for messages. */
  readonly name: string;
  /** Names the file itself (device and inode); the same after it was written. At most 255 bytes. */
  identity(): string;
  /** Changes whenever the file is written or replaced: identity, length and time of modification. */
  stamp(): string;
  /** Who has the image in use, in words; undefined when nobody is known to. */
  user(): string | undefined;
  /** Who is writing into the image, in words; undefined when nobody is known to. Absent: nobody can be known to. */
  writer?(): string | undefined;
  openImage(): WritableSource;
  /** The journal file, there or not. */
  readonly journalName?: string;
  /** Creates the journal file; Posix (EEXIST) when there is one. */
  createJournal(): WritableSource;
  /** The journal file, undefined when there is none. */
  openJournal(): WritableSource | undefined;
  removeJournal(): void;
  /** Makes creation and removal durable. */
  syncFolder(): void;
  /** CRC-32 as in IEEE 802.3, where the platform's own is faster than the library's. */
  crc32?(bytes: Bytes): number;
  /**
   * From so many bytes on, data for places that hold only zeros go past the journal, at the price of two more flushes; 2 MiB unless said
   * otherwise.
   */
  readonly leastBlank?: number;
  /** Lets the outside world have a word while the journal is written: the last moment at which a commit can be given up. */
  pause?(): Io<void>;
}

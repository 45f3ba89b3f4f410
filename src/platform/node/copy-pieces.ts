/** The work of one thread that copies pieces of disks between files: reading, decompressing, leaving out zeros, writing. */
import * as fs from 'node:fs';
import { zeroRun } from '../../bytes/runs.ts';
import type { Bytes } from '../../bytes/struct.ts';
import type { Codecs } from '../../codec/codecs.ts';
import { Posix } from '../../errors.ts';

/** A piece: where it goes, and how it is had. */
export interface CopyPiece {
  /** First byte in the target, and how many. */
  readonly target: number;
  readonly length: number;
  /** The file that is read, and its size: behind it everything is zero. */
  readonly descriptor: number;
  readonly size: number;
  readonly offset: number;
  /** Bytes of the compressed cluster at `offset`; 0 when the piece stands there plainly. */
  readonly compressedLength: number;
  readonly compression: 'zlib' | 'zstd';
  /** Bytes that come out of the cluster, and which of them is the first of the piece. */
  readonly clusterSize: number;
  readonly within: number;
}

/** Doubles of a piece in a table. */
export const PIECE_FIELDS = 9;
const TARGET = 0;
const LENGTH = 1;
const DESCRIPTOR = 2;
const SIZE = 3;
const OFFSET = 4;
const COMPRESSED = 5;
const COMPRESSION = 6;
const CLUSTER = 7;
const WITHIN = 8;

/** No piece is longer. */
export const MAX_PIECE: number = 2 << 20;
const OUTPUT: number = MAX_PIECE;
/** What has gathered is written when it is this much: not more than a processor's own cache holds. */
const ENOUGH: number = 256 << 10;
/** Neighbours are read together up to this many bytes, and with at most such a gap. */
const INPUT: number = 1 << 20;
const GAP = 4096;

/** Puts a piece into a table that threads share. */
export function storePiece(table: Float64Array, index: number, piece: CopyPiece): void {
  const at = index * PIECE_FIELDS;
  table[at + TARGET] = piece.target;
  table[at + LENGTH] = piece.length;
  table[at + DESCRIPTOR] = piece.descriptor;
  table[at + SIZE] = piece.size;
  table[at + OFFSET] = piece.offset;
  table[at + COMPRESSED] = piece.compressedLength;
  table[at + COMPRESSION] = piece.compression === 'zstd' ? 1 : 0;
  table[at + CLUSTER] = piece.clusterSize;
  table[at + WITHIN] = piece.within;
}

export class PieceCopier {
  readonly #table: Float64Array;
  readonly #target: number;
  readonly #unit: number;
  readonly #codecs: Codecs;
  readonly #output: Bytes = new Uint8Array(OUTPUT);
  #outputStart = 0;
  #outputUsed = 0;
  #input: Bytes = new Uint8Array(INPUT);
  #inputFile = -1;
  #inputStart = 0;
  #inputEnd = 0;
  #cluster: Bytes = new Uint8Array(0);
  #clusterFile = -1;
  #clusterOffset = -1;

  /** `target` is a descriptor; runs of `unit` zero bytes are not written. */
  constructor(table: Float64Array, target: number, unit: number, codecs: Codecs) {
    this.#table = table;
    this.#target = target;
    this.#unit = unit;
    this.#codecs = codecs;
  }

  /** Copies the pieces `[first, end)` of the table. Throws what the codecs and node:fs throw. */
  copy(first: number, end: number): void {
    this.#outputUsed = 0;
    for (let piece = first; piece < end; piece++) {
      const at = piece * PIECE_FIELDS;
      const length = this.#field(at, LENGTH);
      const room = this.#room(this.#field(at, TARGET), length);
      if (this.#field(at, COMPRESSED) === 0) {
        readPadded(this.#field(at, DESCRIPTOR), this.#field(at, SIZE), this.#field(at, OFFSET), room);
        continue;
      }
      const size = this.#field(at, CLUSTER);
      const within = this.#field(at, WITHIN);
      if (within === 0 && length === size) this.#decompress(piece, end, room);
      else {
        if (this.#clusterFile !== this.#field(at, DESCRIPTOR) || this.#clusterOffset !== this.#field(at, OFFSET)) {
          this.#clusterOffset = -1;
          if (this.#cluster.length !== size) this.#cluster = new Uint8Array(size);
          this.#decompress(piece, end, this.#cluster);
          this.#clusterFile = this.#field(at, DESCRIPTOR);
          this.#clusterOffset = this.#field(at, OFFSET);
        }
        room.set(this.#cluster.subarray(within, within + length));
      }
    }
    this.#flush();
  }

  #field(at: number, field: number): number {
    return this.#table[at + field] ?? 0;
  }

  #decompress(piece: number, end: number, target: Bytes): void {
    const at = piece * PIECE_FIELDS;
    const offset = this.#field(at, OFFSET);
    const length = this.#field(at, COMPRESSED);
    if (this.#inputFile !== this.#field(at, DESCRIPTOR) || offset < this.#inputStart || offset + length > this.#inputEnd)
      this.#read(piece, end);
    const input = this.#input.subarray(offset - this.#inputStart, offset - this.#inputStart + length);
    if (this.#field(at, COMPRESSION) === 1) this.#codecs.zstdDecompress(input, target);
    else this.#codecs.inflateRaw(input, target);
  }

  /** Reads what a piece needs, and with it what follows closely and is needed next. */
  #read(piece: number, end: number): void {
    const at = piece * PIECE_FIELDS;
    const descriptor = this.#field(at, DESCRIPTOR);
    const start = this.#field(at, OFFSET);
    let stop = start + this.#field(at, COMPRESSED);
    for (let next = piece + 1; next < end; next++) {
      const other = next * PIECE_FIELDS;
      const offset = this.#field(other, OFFSET);
      if (this.#field(other, COMPRESSED) === 0 || this.#field(other, DESCRIPTOR) !== descriptor) break;
      if (offset < start || offset > stop + GAP || offset + this.#field(other, COMPRESSED) - start > INPUT) break;
      stop = Math.max(stop, offset + this.#field(other, COMPRESSED));
    }
    if (stop - start > this.#input.length) this.#input = new Uint8Array(stop - start);
    this.#inputFile = -1;
    readPadded(descriptor, this.#field(at, SIZE), start, this.#input.subarray(0, stop - start));
    this.#inputFile = descriptor;
    this.#inputStart = start;
    this.#inputEnd = stop;
  }

  /** A place for the next bytes of the target; what does not join with them is written before. */
  #room(target: number, length: number): Bytes {
    if (this.#outputUsed > 0 && (this.#outputStart + this.#outputUsed !== target || this.#outputUsed + length > Math.max(ENOUGH, length)))
      this.#flush();
    if (this.#outputUsed === 0) this.#outputStart = target;
    const from = this.#outputUsed;
    this.#outputUsed += length;
    return this.#output.subarray(from, from + length);
  }

  #flush(): void {
    const bytes = this.#output.subarray(0, this.#outputUsed);
    for (let start = 0; start < bytes.length; ) {
      const { zero, end } = zeroRun(bytes, start, this.#outputStart, this.#unit);
      while (start < end) start += zero ? end - start : fs.writeSync(this.#target, bytes, start, end - start, this.#outputStart + start);
    }
    this.#outputUsed = 0;
  }
}

function readPadded(descriptor: number, size: number, offset: number, target: Bytes): void {
  const inside = Math.max(0, Math.min(target.length, size - offset));
  for (let done = 0; done < inside; ) {
    const got = fs.readSync(descriptor, target, done, inside - done, offset + done);
    if (got <= 0) throw new Posix('EIO', { offset: offset + done }, 'the file ends before the byte that is wanted');
    done += got;
  }
  target.fill(0, inside);
}

/** What stands around the part of a slot that memory holds. */
import type { Bytes } from '../bytes/struct.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';

/** Where the bytes of a slot are found of which memory holds only a part. */
export interface Rest {
  /** Bytes of the slot that count: those behind are never looked at. */
  readonly end: number;
  /** Whether it is the slot's place in the file, where only what changed has to be written. */
  readonly inFile?: boolean;
  /** Fills `target` from byte `within` of the slot on; what lies behind `end` stays as it is. */
  read(within: number, target: Bytes): Io<void>;
}

/** A part of the base. */
export class BaseRest implements Rest {
  readonly end: number;
  readonly #base: BlockDevice;
  readonly #start: number;

  /** `end` bytes from byte `start` of the base on. */
  constructor(base: BlockDevice, start: number, end: number) {
    this.#base = base;
    this.#start = start;
    this.end = end;
  }

  *read(within: number, target: Bytes): Io<void> {
    const length = Math.min(target.length, this.end - within);
    yield* this.#base.readInto(this.#start + within, length === target.length ? target : target.subarray(0, length));
  }
}

export function zeroRest(end: number): Rest {
  return { end, read: fillZero };
}

// biome-ignore lint/correctness/useYield: nothing has to be read
function* fillZero(_: number, target: Bytes): Io<void> {
  target.fill(0);
}

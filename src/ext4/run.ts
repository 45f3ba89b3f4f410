/** A run of logical blocks of one state. */
export interface BlockRun {
  readonly logical: number;
  /** In blocks, at least 1. */
  readonly length: number;
  /** The device's block of the first one; undefined where nothing is allocated. */
  readonly physical: number | undefined;
  /** Whether it reads as zeros: a hole, or allocated but never written. */
  readonly zero: boolean;
}

/** One more than the largest logical block number. */
export const LOGICAL_BLOCKS_END = 0x1_0000_0000;

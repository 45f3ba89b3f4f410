/** What an open transaction has to know to take its writes back. */
import type { Bytes } from '../bytes/struct.ts';

/** Small writes into a cluster that stays in its place save what they overwrite in pieces of this many bytes. */
export const PIECE = 4096;

/** A cluster's state: the slot that holds it, or one of the negative values below. */
export type ClusterState = number;
/** Not changed: what the base says. */
export const BASE = -1;
/** Reads as zeros, which somebody wrote. */
export const ZERO = -2;
/** Reads as zeros, because nobody needs it any more. */
export const DISCARDED = -3;

/** How one cluster was when its transaction began. */
export interface Undo {
  readonly state: ClusterState;
  /** The cluster has another state now; its old slot, if any, is kept for the way back. */
  replaced: boolean;
  /** Old contents of pieces of the old slot that were overwritten where they stand, by index. */
  pieces: Map<number, Bytes> | undefined;
}

/** One level of nested transactions. */
export type UndoLevel = Map<number, Undo>;

/**
 * Makes the record of an inner transaction, which is kept, part of the outer one's. `release` gets each slot that only the way back
 * to the middle would have needed.
 */
export function mergeUndo(inner: UndoLevel, outer: UndoLevel, release: (slot: number) => void): void {
  for (const [cluster, undo] of inner) {
    const before = outer.get(cluster);
    if (before === undefined) {
      outer.set(cluster, undo);
    } else if (before.replaced) {
      if (undo.replaced && undo.state >= 0) release(undo.state);
    } else {
      before.replaced = undo.replaced;
      if (undo.pieces !== undefined) {
        before.pieces ??= new Map();
        for (const [index, piece] of undo.pieces) if (!before.pieces.has(index)) before.pieces.set(index, piece);
      }
    }
  }
}

/**
 * Numbers of nodes that outlive a move. A node is numbered by the place of its short entry when it is first seen; a rename moves the entry
 * and not the number. Only moved nodes are remembered.
 */
import type { NodeId } from '../filesystem/filesystem.ts';
import type { Savepoint } from '../io/transaction.ts';

export class NodeNumbers {
  readonly #placeOf = new Map<NodeId, number>();
  readonly #numberAt = new Map<number, NodeId>();
  readonly #undo: (() => void)[] = [];
  #fresh: number;
  #marks = 0;

  /** `fresh`: a number above all places. */
  constructor(fresh: number) {
    this.#fresh = fresh;
  }

  numberAt(place: number): NodeId {
    return this.#numberAt.get(place) ?? place;
  }

  placeOf(node: NodeId): number {
    return this.#placeOf.get(node) ?? node;
  }

  /** A new node at a place. */
  claim(place: number): NodeId {
    // The place's own number may still belong to a node that moved away.
    if (this.#placeOf.has(place)) this.move(this.#fresh++, place);
    return this.numberAt(place);
  }

  /** The node's entry stands at another place now. */
  move(node: NodeId, place: number): void {
    const from = this.#placeOf.get(node) ?? node;
    if (this.#numberAt.get(from) === node) this.#set(this.#numberAt, from, undefined);
    this.#set(this.#placeOf, node, place === node ? undefined : place);
    this.#set(this.#numberAt, place, place === node ? undefined : node);
  }

  /** The node is gone. */
  release(node: NodeId): void {
    const place = this.#placeOf.get(node);
    if (place === undefined) return;
    this.#set(this.#placeOf, node, undefined);
    this.#set(this.#numberAt, place, undefined);
  }

  /** Remembers the state until it is restored or released. */
  mark(): Savepoint {
    this.#marks++;
    const length = this.#undo.length;
    const release = (): void => {
      this.#marks--;
      if (this.#marks === 0) this.#undo.length = 0;
    };
    return {
      restore: () => {
        while (this.#undo.length > length) this.#undo.pop()?.();
        release();
      },
      release,
    };
  }

  #set(map: Map<number, number>, key: number, value: number | undefined): void {
    const before = map.get(key);
    if (this.#marks > 0) {
      this.#undo.push(() => {
        if (before === undefined) map.delete(key);
        else map.set(key, before);
      });
    }
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }
}

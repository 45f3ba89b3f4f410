/**
 * The copy-on-write overlay: a device that can be written over one that never is.
 *
 * It does what `qemu -snapshot` does: changed clusters of 64 KiB are kept aside, everything else is read from the base. A cluster that is
 * written as a whole is not read before. Discards and zeros are kept as such, without space. Transactions nest.
 */
import type { Bytes } from '../bytes/struct.ts';
import { Posix, Refused } from '../errors.ts';
import { type BlockDevice, checkRange, type Extent, readNew } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { Lock } from '../io/lock.ts';
import type { WritableSource } from '../io/source.ts';
import type { TransactionalDevice } from '../io/transaction.ts';
import { ClusterTable } from './cluster-table.ts';
import { BaseRest, type Rest, zeroRest } from './rest.ts';
import { CLUSTER, ClusterStore, type OpenTemporary } from './store.ts';
import { BASE, type ClusterState, DISCARDED, mergeUndo, PIECE, type Undo, type UndoLevel, ZERO } from './undo.ts';

export interface OverlayOptions {
  /** Bytes of changed clusters to keep in memory; default 32 MiB. What open transactions save comes on top. */
  readonly budget?: number;
  /** Where the rest goes; without it, what exceeds the budget is ENOSPC. */
  readonly temporary?: OpenTemporary;
  /** Bytes at the beginning of the temporary file that are left alone; default none. */
  readonly origin?: number;
}

/** A run of the device that differs from the base, or may: bytes written as they were before are still a change. */
export interface Change {
  readonly offset: number;
  readonly length: number;
  /** `data`: read it from the overlay; `zero`: zeros were written; `discard`: reads as zeros, nobody needs it. */
  readonly kind: 'data' | 'zero' | 'discard';
}

/** A change and, for data, where they stand in the overlay's file: bytes from its beginning. */
export interface StoredChange extends Change {
  readonly place?: number;
}

/** Clusters that one overlay can change: 512 GiB. */
const MAX_CLUSTERS = 1 << 23;
/** Bytes that are written without a step outside, at most. */
const WRITTEN_NOW: number = 1 << 17;

export class OverlayDevice implements TransactionalDevice {
  readonly base: BlockDevice;
  readonly size: number;
  readonly preferredRequest: number;
  readonly #store: ClusterStore;
  readonly #clusters = new ClusterTable();
  readonly #levels: UndoLevel[] = [];
  readonly #writing = new Lock();
  /** Grows whenever a slot is freed: a read that was under way may have seen another cluster's bytes. */
  #frees = 0;

  constructor(base: BlockDevice, options: OverlayOptions = {}) {
    this.base = base;
    this.size = base.size;
    this.preferredRequest = base.preferredRequest;
    this.#store = new ClusterStore(options.budget ?? 32 << 20, options.temporary, options.origin);
  }

  /** Bytes of clusters that are stored, those that open transactions keep for the way back included. */
  get storedBytes(): number {
    return this.#store.used * CLUSTER;
  }

  /** Whether anything was written, zeroed or discarded. */
  get changed(): boolean {
    return this.#clusters.size > 0;
  }

  get inTransaction(): boolean {
    return this.#levels.length > 0;
  }

  read(offset: number, length: number): Io<Bytes> {
    return readNew(this, offset, length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    checkRange(this, offset, target.length);
    if (this.#clusters.size === 0) return yield* this.base.readInto(offset, target);
    for (;;) {
      const frees = this.#frees;
      yield* this.#readRuns(offset, target);
      if (frees === this.#frees) return;
    }
  }

  *#readRuns(offset: number, target: Bytes): Io<void> {
    for (let done = 0; done < target.length; ) {
      const at = offset + done;
      const first = Math.floor(at / CLUSTER);
      const within = at - first * CLUSTER;
      const state = this.#clusters.get(first);
      let length = CLUSTER - within;
      for (let next = first + 1; length < target.length - done; next++, length += CLUSTER) {
        const expected = state >= 0 ? state + next - first : state;
        if (this.#clusters.get(next) !== expected) break;
      }
      length = Math.min(length, target.length - done);
      const part = length === target.length ? target : target.subarray(done, done + length);
      if (state === BASE) yield* this.base.readInto(at, part);
      else if (state < 0) part.fill(0);
      else yield* this.#store.read(state, within, part);
      done += length;
    }
  }

  writeNow(offset: number, bytes: Bytes): boolean {
    checkRange(this, offset, bytes.length);
    if (this.#writing.held || bytes.length === 0) return false;
    const first = Math.floor(offset / CLUSTER);
    const end = offset + bytes.length;
    if (end <= (first + 1) * CLUSTER) {
      const state = this.#clusters.get(first);
      if (state >= 0) return this.#mayOverwrite(first) && this.#store.writeNow(state, offset - first * CLUSTER, bytes);
    }
    if (!this.takesNow(offset, bytes.length)) return false;
    for (let at = offset; at < end; ) {
      const cluster = Math.floor(at / CLUSTER);
      const within = at - cluster * CLUSTER;
      const part = bytes.subarray(at - offset, Math.min(end, (cluster + 1) * CLUSTER) - offset);
      const state = this.#clusters.get(cluster);
      if (state >= 0) this.#store.writeNow(state, within, part);
      else {
        const slot = this.#store.allocate();
        this.#store.writeFreshNow(slot, within, part, this.#restOf(cluster, state, part));
        this.#replace(cluster, slot);
      }
      at += part.length;
    }
    return true;
  }

  takesNow(offset: number, length: number): boolean {
    if (this.#writing.held || length === 0 || length > WRITTEN_NOW) return false;
    const end = offset + length;
    let fresh = 0;
    for (let at = offset; at < end; ) {
      const cluster = Math.floor(at / CLUSTER);
      const stop = Math.min(end, (cluster + 1) * CLUSTER);
      const state = this.#clusters.get(cluster);
      if (state < 0) fresh++;
      else if (!this.#mayOverwrite(cluster) || !this.#store.takesNow(state, at - cluster * CLUSTER, stop - at)) return false;
      at = stop;
    }
    return fresh === 0 || (this.#store.hasRoom(fresh) && this.#clusters.size + fresh <= MAX_CLUSTERS);
  }

  *write(offset: number, bytes: Bytes): Io<void> {
    checkRange(this, offset, bytes.length);
    if (bytes.length > 0) yield* this.#writing.exclusive(() => this.#write(offset, bytes));
  }

  *#write(offset: number, bytes: Bytes): Io<void> {
    if (bytes.length > CLUSTER) this.#store.checkRoom(this.#freshSlots(offset, offset + bytes.length));
    for (let done = 0; done < bytes.length; ) {
      const at = offset + done;
      const cluster = Math.floor(at / CLUSTER);
      const within = at - cluster * CLUSTER;
      const length = Math.min(CLUSTER - within, bytes.length - done);
      yield* this.#writePart(cluster, within, length === bytes.length ? bytes : bytes.subarray(done, done + length));
      done += length;
    }
  }

  /** How many slots it takes to write `[offset, end)`. */
  #freshSlots(offset: number, end: number): number {
    let count = 0;
    for (let cluster = Math.floor(offset / CLUSTER); cluster * CLUSTER < end; cluster++) {
      const whole = offset <= cluster * CLUSTER && end >= cluster * CLUSTER + this.#lengthOf(cluster);
      if (this.#clusters.get(cluster) < 0 || (whole && !this.#mayOverwrite(cluster))) count++;
    }
    return count;
  }

  /** Writes within one cluster; one that is written as a whole gets a new slot while its old contents may be needed. */
  *#writePart(cluster: number, within: number, bytes: Bytes): Io<void> {
    const state = this.#clusters.get(cluster);
    if (state >= 0) {
      const kept = !this.#mayOverwrite(cluster);
      if (!kept || bytes.length < this.#lengthOf(cluster)) {
        if (kept) yield* this.#savePieces(cluster, state, within, bytes.length);
        yield* this.#store.write(state, within, bytes);
        return;
      }
    }
    this.#checkRoom();
    const slot = this.#store.allocate();
    try {
      yield* this.#store.writeFresh(slot, within, bytes, this.#restOf(cluster, state, bytes));
    } catch (error) {
      this.#free(slot);
      throw error;
    }
    this.#replace(cluster, slot);
  }

  /** What a cluster of this state holds around a part that is written into it. */
  #restOf(cluster: number, state: ClusterState, part: Bytes): Rest | undefined {
    const end = this.#lengthOf(cluster);
    if (part.length === end) return undefined;
    return state === BASE ? new BaseRest(this.base, cluster * CLUSTER, end) : zeroRest(end);
  }

  /** Whether the cluster's slot came into being in the innermost transaction, or there is none: then its old contents are not needed. */
  #mayOverwrite(cluster: number): boolean {
    const level = this.#levels[this.#levels.length - 1];
    return level === undefined || level.get(cluster)?.replaced === true;
  }

  *#savePieces(cluster: number, slot: number, within: number, length: number): Io<void> {
    const level = this.#levels[this.#levels.length - 1] as UndoLevel;
    let undo = level.get(cluster);
    if (undo === undefined) {
      undo = { state: slot, replaced: false, pieces: undefined };
      level.set(cluster, undo);
    }
    undo.pieces ??= new Map();
    const clusterLength = this.#lengthOf(cluster);
    for (let index = Math.floor(within / PIECE); index * PIECE < within + length; index++) {
      if (undo.pieces.has(index)) continue;
      const piece = new Uint8Array(Math.min(PIECE, clusterLength - index * PIECE));
      yield* this.#store.read(slot, index * PIECE, piece);
      undo.pieces.set(index, piece);
    }
  }

  writeZeroes(offset: number, length: number): Io<void> {
    return this.#clear(offset, length, ZERO);
  }

  discard(offset: number, length: number): Io<void> {
    return this.#clear(offset, length, DISCARDED);
  }

  *#clear(offset: number, length: number, state: typeof ZERO | typeof DISCARDED): Io<void> {
    checkRange(this, offset, length);
    if (length > 0) yield* this.#writing.exclusive(() => this.#clearRuns(offset, length, state));
  }

  *#clearRuns(offset: number, length: number, state: typeof ZERO | typeof DISCARDED): Io<void> {
    const end = offset + length;
    for (let at = offset; at < end; ) {
      const cluster = Math.floor(at / CLUSTER);
      const clusterEnd = cluster * CLUSTER + this.#lengthOf(cluster);
      const stop = Math.min(end, clusterEnd);
      const now = this.#clusters.get(cluster);
      if (now === BASE) {
        const skipped = yield* this.#zeroInBase(at, end);
        if (skipped > 0) {
          at += skipped;
          continue;
        }
      }
      if (at === cluster * CLUSTER && stop === clusterEnd) {
        if (now === BASE) this.#checkRoom();
        if (now !== state) this.#replace(cluster, state);
      } else if (now === BASE || now >= 0) {
        yield* this.#writePart(cluster, at - cluster * CLUSTER, new Uint8Array(stop - at));
      }
      at = stop;
    }
  }

  /** How many bytes from `at` on need no change to be zeros: unchanged clusters of which the base knows that they are. */
  *#zeroInBase(at: number, end: number): Io<number> {
    const extent = yield* this.base.map(at, end - at);
    if (!extent.zero) return 0;
    if (this.#clusters.size === 0) return extent.length;
    const limit = at + extent.length;
    let stop = (Math.floor(at / CLUSTER) + 1) * CLUSTER;
    while (stop < limit && this.#clusters.get(stop / CLUSTER) === BASE) stop += CLUSTER;
    return Math.min(stop, limit) - at;
  }

  /** Nothing: what the overlay holds is given up with the process, as under `qemu -snapshot`. */
  *flush(): Io<void> {}

  *map(offset: number, length: number): Io<Extent> {
    checkRange(this, offset, length);
    const first = Math.floor(offset / CLUSTER);
    const state = this.#clusters.get(first);
    const end = offset + length;
    if (state === BASE) {
      const next = this.#clusters.nextChanged(first, Math.ceil(end / CLUSTER));
      const extent = yield* this.base.map(offset, Math.min(end, next * CLUSTER) - offset);
      return { ...extent, depth: extent.depth + 1 };
    }
    let stop = (first + 1) * CLUSTER;
    for (let cluster = first + 1; stop < end; cluster++, stop += CLUSTER) {
      const other = this.#clusters.get(cluster);
      if (other === BASE || other >= 0 !== state >= 0) break;
    }
    return { length: Math.min(stop, end) - offset, present: true, zero: state < 0, data: state >= 0, depth: 0 };
  }

  /** What differs from the base, in order, joined where it can be. Includes what open transactions wrote. */
  changes(): Change[] {
    const changes: { offset: number; length: number; kind: Change['kind'] }[] = [];
    for (const cluster of this.#clusters.sorted()) {
      const state = this.#clusters.get(cluster);
      const kind = kindOf(state);
      const offset = cluster * CLUSTER;
      const last = changes[changes.length - 1];
      if (last !== undefined && last.kind === kind && last.offset + last.length === offset) last.length += this.#lengthOf(cluster);
      else changes.push({ offset, length: this.#lengthOf(cluster), kind });
    }
    return changes;
  }

  /** Whether `file` is the temporary file of this overlay, and in use. */
  isStoredIn(file: WritableSource): boolean {
    return this.#store.isIn(file);
  }

  /**
   * Moves everything into the overlay's file, and says where it stands there, in order of the device; `end` is where the file's last
   * cluster ends. Data of a last cluster that is shorter are followed by zeros.
   */
  *storedChanges(): Io<{ readonly changes: readonly StoredChange[]; readonly end: number }> {
    const short = this.size % CLUSTER;
    const lastState = this.#clusters.get(Math.floor(this.size / CLUSTER));
    if (short > 0 && lastState >= 0) yield* this.#store.write(lastState, short, new Uint8Array(CLUSTER - short));
    yield* this.#store.moveAll();
    const changes: { offset: number; length: number; kind: Change['kind']; place?: number }[] = [];
    for (const cluster of this.#clusters.sorted()) {
      const state = this.#clusters.get(cluster);
      const kind = kindOf(state);
      const offset = cluster * CLUSTER;
      const place = state >= 0 ? this.#store.position(state) : undefined;
      const last = changes[changes.length - 1];
      const follows = last !== undefined && last.kind === kind && last.offset + last.length === offset;
      if (follows && (place === undefined || (last.place ?? 0) + last.length === place)) last.length += this.#lengthOf(cluster);
      else changes.push({ offset, length: this.#lengthOf(cluster), kind, ...(place === undefined ? {} : { place }) });
    }
    return { changes, end: this.#store.end };
  }

  /** Forgets every change. Throws Refused while a transaction is open. */
  discardAll(): void {
    if (this.#levels.length > 0) throw new Refused('a transaction is open');
    for (const state of this.#clusters.states()) if (state >= 0) this.#free(state);
    this.#clusters.clear();
  }

  /** Gives the memory and the temporary file back; the overlay cannot be used afterwards. */
  close(): void {
    this.#levels.length = 0;
    this.#clusters.clear();
    this.#store.close();
  }

  begin(): void {
    this.#levels.push(new Map());
  }

  *commit(): Io<void> {
    const inner = this.#pop();
    const outer = this.#levels[this.#levels.length - 1];
    if (outer !== undefined) mergeUndo(inner, outer, (slot) => this.#free(slot));
    else for (const undo of inner.values()) if (undo.replaced && undo.state >= 0) this.#free(undo.state);
  }

  *rollback(): Io<void> {
    const level = this.#pop();
    for (const [cluster, undo] of level) {
      if (!undo.replaced) continue;
      const now = this.#clusters.get(cluster);
      if (now >= 0) this.#free(now);
      this.#clusters.set(cluster, undo.state);
    }
    for (const undo of level.values()) {
      for (const [index, piece] of undo.pieces ?? []) yield* this.#store.restore(undo.state, index * PIECE, piece);
    }
  }

  #pop(): UndoLevel {
    const level = this.#levels.pop();
    if (level === undefined) throw new Refused('no transaction is open');
    return level;
  }

  /** Gives a cluster another state; its slot is freed, or kept where an open transaction may need it again. */
  #replace(cluster: number, state: ClusterState): void {
    const before = this.#clusters.get(cluster);
    const level = this.#levels[this.#levels.length - 1];
    if (level === undefined) {
      if (before >= 0) this.#free(before);
    } else {
      const undo: Undo | undefined = level.get(cluster);
      if (undo === undefined) level.set(cluster, { state: before, replaced: true, pieces: undefined });
      else if (undo.replaced) {
        if (before >= 0) this.#free(before);
      } else undo.replaced = true;
    }
    this.#clusters.set(cluster, state);
  }

  #checkRoom(): void {
    if (this.#clusters.size >= MAX_CLUSTERS)
      throw new Posix('ENOSPC', {}, `more than ${MAX_CLUSTERS} clusters of the overlay would be changed`);
  }

  #free(slot: number): void {
    this.#frees++;
    this.#store.free(slot);
  }

  /** Bytes of a cluster: the last one may be shorter. */
  #lengthOf(cluster: number): number {
    return Math.min(CLUSTER, this.size - cluster * CLUSTER);
  }
}

function kindOf(state: ClusterState): Change['kind'] {
  return state >= 0 ? 'data' : state === ZERO ? 'zero' : 'discard';
}

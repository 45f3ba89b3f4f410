/** Where the clusters of an overlay are kept: in memory up to a budget, then in a temporary source of the platform. */
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import { readExactly, type WritableSource, Write, WritePieces } from '../io/source.ts';
import { Resident } from './resident.ts';
import type { Rest } from './rest.ts';

/** Bytes of a cluster: qemu's default for its temporary overlays. */
export const CLUSTER = 65_536;

/** Opens the place for what exceeds the budget of memory; called at most once. Where there is none, what exceeds it is ENOSPC. */
export type OpenTemporary = () => WritableSource;

/** Slots that move from memory to the file at once, at most. */
const MOVED_AT_ONCE = 16;
/** Spare buffers that are kept for the next slots. */
const SPARE_BUFFERS = 32;

/**
 * Numbered slots of one cluster each; a freed slot is used again. Every slot has a fixed place in the file, and what is written stands in memory
 * until room is wanted there: what is written in small pieces reaches the file in large ones.
 */
export class ClusterStore {
  readonly #capacity: number;
  readonly #openTemporary: OpenTemporary | undefined;
  readonly #origin: number;
  /** The slots in memory, those that came first in front. */
  readonly #resident = new Map<number, Resident>();
  readonly #spare: Bytes[] = [];
  readonly #freed: number[] = [];
  #joined: Bytes | undefined;
  #temporary: WritableSource | undefined;
  #next = 0;
  #used = 0;

  /** `budget` is in bytes, rounded down to whole clusters; slot 0 stands at byte `origin` of the file. */
  constructor(budget: number, openTemporary: OpenTemporary | undefined, origin = 0) {
    this.#capacity = Math.floor(budget / CLUSTER);
    this.#openTemporary = openTemporary;
    this.#origin = origin;
  }

  /** Slots in use. */
  get used(): number {
    return this.#used;
  }

  /** Where in the file the place of the last slot ends. */
  get end(): number {
    return this.position(this.#next);
  }

  /** Whether something left memory for this file. */
  isIn(file: WritableSource): boolean {
    return this.#temporary === file;
  }

  /** Throws Posix (ENOSPC) when so many slots more are too many for memory and there is no temporary source. */
  checkRoom(slots: number): void {
    if (this.#openTemporary === undefined && this.#used + slots > this.#capacity) {
      throw new Posix('ENOSPC', {}, `the overlay's ${this.#capacity * CLUSTER} bytes of memory are used up`);
    }
  }

  /** A slot with arbitrary contents, for {@link writeFresh}. Throws as {@link checkRoom}. */
  allocate(): number {
    this.checkRoom(1);
    this.#used++;
    return this.#freed.pop() ?? this.#next++;
  }

  free(slot: number): void {
    this.#used--;
    const resident = this.#resident.get(slot);
    this.#resident.delete(slot);
    if (resident?.moving === true) {
      // What is under way would be written over what comes into the slot next.
      resident.freed = true;
      return;
    }
    this.#freed.push(slot);
    if (resident !== undefined) this.#keepSpare(resident.bytes);
  }

  /** Reads from byte `within` of a slot on, going on in the slots whose numbers follow. */
  *read(slot: number, within: number, target: Bytes): Io<void> {
    let at = within;
    for (let done = 0, current = slot; done < target.length; at = 0) {
      const resident = this.#resident.get(current);
      let length = Math.min(CLUSTER - at, target.length - done);
      if (resident !== undefined) {
        resident.used = true;
        yield* resident.read(at, length === target.length ? target : target.subarray(done, done + length));
        current++;
      } else {
        const position = this.position(current, at);
        for (current++; done + length < target.length && !this.#resident.has(current); current++) length += CLUSTER;
        length = Math.min(length, target.length - done);
        yield* readExactly(this.#file(), position, length === target.length ? target : target.subarray(done, done + length));
      }
      done += length;
    }
  }

  /** Writes from byte `within` of a slot on, within that. */
  *write(slot: number, within: number, bytes: Bytes): Io<void> {
    const resident = this.#resident.get(slot);
    if (resident === undefined) {
      yield* this.#makeRoom();
      this.#settle(slot, within, bytes, bytes.length < CLUSTER ? this.#fileRest(slot) : undefined);
    } else {
      if (!resident.takes(within, bytes.length)) yield* resident.complete();
      resident.put(within, bytes);
      resident.used = bytes.length < CLUSTER;
    }
    if (this.#capacity === 0) yield* this.#moveFrom(slot, true);
  }

  /** The same for a slot that was just allocated: `rest` is what it holds around these bytes; without one they are all that will be read. */
  *writeFresh(slot: number, within: number, bytes: Bytes, rest: Rest | undefined): Io<void> {
    yield* this.#makeRoom();
    this.#settle(slot, within, bytes, rest);
    if (this.#capacity === 0) yield* this.#moveFrom(slot, true);
  }

  /** Whether so many slots more have room in memory. */
  hasRoom(slots: number): boolean {
    return this.#resident.size + slots <= this.#capacity;
  }

  /** As {@link writeFresh} where there {@link hasRoom}. */
  writeFreshNow(slot: number, within: number, bytes: Bytes, rest: Rest | undefined): void {
    this.#settle(slot, within, bytes, rest);
  }

  /** Whether {@link writeNow} would write. */
  takesNow(slot: number, within: number, length: number): boolean {
    return this.#resident.get(slot)?.takes(within, length) === true;
  }

  /** As {@link write}, if it takes no step outside; false: nothing was done. */
  writeNow(slot: number, within: number, bytes: Bytes): boolean {
    const resident = this.#resident.get(slot);
    if (resident === undefined || !resident.put(within, bytes)) return false;
    resident.used = bytes.length < CLUSTER;
    return true;
  }

  /** As {@link write}; not a step outside where that can be avoided, so that it works while all is aborted. */
  *restore(slot: number, within: number, bytes: Bytes): Io<void> {
    const resident = this.#resident.get(slot);
    if (resident === undefined) this.#settle(slot, within, bytes, this.#fileRest(slot));
    else if (!resident.put(within, bytes)) {
      // Of what memory does not hold the file is right, unless something is under way there.
      if (resident.rest?.inFile === true && !resident.moving && this.#temporary?.writeSync !== undefined) {
        this.#temporary.writeSync(this.position(slot, within), bytes);
      } else yield* this.write(slot, within, bytes);
    }
  }

  /** Moves what is in memory to its places in the file. Nobody may write meanwhile. */
  *moveAll(): Io<void> {
    for (const slot of [...this.#resident.keys()].sort((a, b) => a - b)) {
      if (this.#resident.get(slot)?.moving === false) yield* this.#moveFrom(slot, true);
    }
  }

  close(): void {
    this.#temporary?.close?.();
    this.#temporary = undefined;
    this.#resident.clear();
    this.#spare.length = 0;
  }

  /** A slot comes into memory. */
  #settle(slot: number, within: number, bytes: Bytes, rest: Rest | undefined): void {
    const resident = new Resident(this.#spare.pop() ?? new Uint8Array(CLUSTER), within, rest);
    resident.put(within, bytes);
    resident.used = bytes.length < CLUSTER;
    this.#resident.set(slot, resident);
  }

  #fileRest(slot: number): Rest {
    return {
      end: CLUSTER,
      inFile: true,
      read: (within, target) => readExactly(this.#file(), this.position(slot, within), target),
    };
  }

  /** Room for one slot; where there is none, for some at once, so that those that follow take no step outside. */
  *#makeRoom(): Io<void> {
    if (this.hasRoom(1)) return;
    const some = Math.min(MOVED_AT_ONCE, Math.ceil(this.#capacity / 4));
    while (this.#resident.size > 0 && !this.hasRoom(some)) {
      const slot = this.#victim();
      if (slot === undefined) return;
      yield* this.#moveFrom(slot, false);
    }
  }

  /** The slot that came first; those in use get a second chance. Undefined: all are on their way. */
  #victim(): number | undefined {
    for (const [slot, resident] of this.#resident) {
      if (resident.moving) continue;
      if (!resident.used) return slot;
      resident.used = false;
      // To the end of the order.
      this.#resident.delete(slot);
      this.#resident.set(slot, resident);
    }
    return undefined;
  }

  /** Moves a slot to the file, and those whose numbers follow. */
  *#moveFrom(first: number, all: boolean): Io<void> {
    const resident = this.#resident.get(first) as Resident;
    const { rest } = resident;
    if (rest?.inFile === true) {
      const { from, to } = resident.known;
      return yield* this.#move(first, [resident], this.position(first, from), [resident.bytes.subarray(from, to)]);
    }
    if (rest !== undefined) yield* resident.complete();
    const run = [resident];
    while (run.length < MOVED_AT_ONCE) {
      const next = this.#resident.get(first + run.length);
      if (next === undefined || next.moving || next.rest !== undefined || (next.used && !all)) break;
      run.push(next);
    }
    const pieces = run.map(({ bytes }) => bytes);
    yield* this.#move(first, run, this.position(first), pieces);
  }

  *#move(first: number, run: readonly Resident[], position: number, pieces: readonly Bytes[]): Io<void> {
    const file = this.#file();
    this.#begin(run);
    let good = false;
    try {
      if (pieces.length === 1 || file.writePiecesSync === undefined) yield* perform(new Write(file, position, this.#join(pieces)));
      else yield* perform(new WritePieces(file, position, pieces));
      good = true;
    } finally {
      this.#end(first, run, good);
    }
  }

  #begin(run: readonly Resident[]): void {
    for (const resident of run) {
      resident.moving = true;
      resident.changed = false;
    }
  }

  /** The slots leave memory, unless they were written meanwhile or could not be moved. */
  #end(first: number, run: readonly Resident[], good: boolean): void {
    for (const [k, resident] of run.entries()) {
      resident.moving = false;
      if (resident.freed) this.#freed.push(first + k);
      else if (resident.changed || !good) {
        resident.changed = true;
        continue;
      } else this.#resident.delete(first + k);
      this.#keepSpare(resident.bytes);
    }
  }

  #join(pieces: readonly Bytes[]): Bytes {
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) return only;
    const joined = (this.#joined ??= new Uint8Array(MOVED_AT_ONCE * CLUSTER));
    for (const [k, piece] of pieces.entries()) joined.set(piece, k * CLUSTER);
    return joined.subarray(0, pieces.length * CLUSTER);
  }

  #keepSpare(bytes: Bytes): void {
    if (this.#spare.length < SPARE_BUFFERS) this.#spare.push(bytes);
  }

  #file(): WritableSource {
    if (this.#temporary === undefined) {
      if (this.#openTemporary === undefined) throw new Posix('ENOSPC', {}, 'the overlay has no temporary storage');
      this.#temporary = this.#openTemporary();
    }
    return this.#temporary;
  }

  /** Where in the file a byte of a slot has its place. */
  position(slot: number, within = 0): number {
    return this.#origin + slot * CLUSTER + within;
  }
}

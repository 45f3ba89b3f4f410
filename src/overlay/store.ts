/** Where the clusters of an overlay are kept: in memory up to a budget, then in a temporary source of the platform. */
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import { readExactly, type WritableSource, Write } from '../io/source.ts';

/** Bytes of a cluster: qemu's default for its temporary overlays. */
export const CLUSTER = 65_536;

/** Opens the place for what exceeds the budget of memory; called at most once. Where there is none, what exceeds it is ENOSPC. */
export type OpenTemporary = () => WritableSource;

/** Slots that move from memory to the file at once, at most. */
const MOVED_AT_ONCE = 16;
/** Spare buffers that are kept for the next slots. */
const SPARE_BUFFERS = 32;

/** A slot in memory. */
interface Resident {
  readonly bytes: Bytes;
  /** Written or read in part since it was last looked at as one to move: what changes often stays. */
  used: boolean;
  /** Written since it was copied to be moved. */
  changed: boolean;
}

/** What becomes of slots that hold nothing of value yet: they stay in memory to be written again, or may go `through` to the file. */
export type FreshSlots = 'stay' | 'through';

/**
 * Numbered slots of one cluster each; a freed slot is used again. Every slot has a fixed place in the file, and stands in memory until room
 * is wanted there: what is written in small pieces reaches the file in large ones.
 */
export class ClusterStore {
  readonly #capacity: number;
  readonly #openTemporary: OpenTemporary | undefined;
  readonly #origin: number;
  /** The slots in memory, those that came first in front. */
  readonly #resident = new Map<number, Resident>();
  readonly #spare: Bytes[] = [];
  readonly #freed: number[] = [];
  #moving: Bytes | undefined;
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

  /** A slot with arbitrary contents. Throws Posix (ENOSPC) when memory is used up and there is no temporary source. */
  allocate(): number {
    if (this.#openTemporary === undefined && this.#used >= this.#capacity) {
      throw new Posix('ENOSPC', {}, `the overlay's ${this.#capacity * CLUSTER} bytes of memory are used up`);
    }
    this.#used++;
    return this.#freed.pop() ?? this.#next++;
  }

  free(slot: number): void {
    this.#used--;
    this.#freed.push(slot);
    const resident = this.#resident.get(slot);
    if (resident === undefined) return;
    this.#resident.delete(slot);
    this.#keepSpare(resident.bytes);
  }

  /** Reads from byte `within` of a slot on, going on in the slots whose numbers follow. */
  *read(slot: number, within: number, target: Bytes): Io<void> {
    let at = within;
    for (let done = 0, current = slot; done < target.length; at = 0) {
      const resident = this.#resident.get(current);
      let length = Math.min(CLUSTER - at, target.length - done);
      if (resident !== undefined) {
        resident.used = true;
        target.set(length === CLUSTER ? resident.bytes : resident.bytes.subarray(at, at + length), done);
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

  /**
   * Writes from byte `within` of a slot on, going on in the slots whose numbers follow. `fresh`: the slots were just allocated, and this
   * is all that will ever be read of them before more is written.
   */
  *write(slot: number, within: number, bytes: Bytes, fresh?: FreshSlots): Io<void> {
    let at = within;
    for (let done = 0, current = slot; done < bytes.length; at = 0) {
      let length = Math.min(CLUSTER - at, bytes.length - done);
      const resident = this.#resident.get(current) ?? (fresh === undefined ? undefined : yield* this.#settleIn(current, fresh));
      if (resident !== undefined) {
        resident.used = length < CLUSTER || fresh === 'stay';
        resident.changed = true;
        resident.bytes.set(length === bytes.length ? bytes : bytes.subarray(done, done + length), at);
        current++;
      } else {
        const position = this.position(current, at);
        for (current++; done + length < bytes.length && !this.#resident.has(current); current++) length += CLUSTER;
        length = Math.min(length, bytes.length - done);
        yield* perform(new Write(this.#file(), position, length === bytes.length ? bytes : bytes.subarray(done, done + length)));
      }
      done += length;
    }
  }

  /** As {@link write} within one slot, if that is in memory; false: nothing was done. */
  writeNow(slot: number, within: number, bytes: Bytes): boolean {
    const resident = this.#resident.get(slot);
    if (resident === undefined) return false;
    resident.used = bytes.length < CLUSTER;
    resident.changed = true;
    resident.bytes.set(bytes, within);
    return true;
  }

  /** As {@link write} within one slot; not a step outside where the file can be written at once, so that it works while all is aborted. */
  *restore(slot: number, within: number, bytes: Bytes): Io<void> {
    const resident = this.#resident.get(slot);
    if (resident !== undefined) {
      resident.changed = true;
      resident.bytes.set(bytes, within);
    } else if (this.#temporary?.writeSync !== undefined) this.#temporary.writeSync(this.position(slot, within), bytes);
    else yield* this.write(slot, within, bytes);
  }

  /** Moves what is in memory to its places in the file. */
  *moveAll(): Io<void> {
    for (const slot of [...this.#resident.keys()].sort((a, b) => a - b)) {
      if (this.#resident.has(slot)) yield* this.#moveFrom(slot, true);
    }
  }

  close(): void {
    this.#temporary?.close?.();
    this.#temporary = undefined;
    this.#resident.clear();
    this.#spare.length = 0;
  }

  /** Room in memory for a slot; undefined when it is to go straight to the file. */
  *#settleIn(slot: number, fresh: FreshSlots): Io<Resident | undefined> {
    if (this.#resident.size >= this.#capacity) {
      if (fresh === 'through' || this.#capacity === 0) return undefined;
      yield* this.#makeRoom();
    }
    const resident = { bytes: this.#spare.pop() ?? new Uint8Array(CLUSTER), used: true, changed: true };
    this.#resident.set(slot, resident);
    return resident;
  }

  /** Moves the slots that came first to the file, and those whose numbers follow; slots in use get a second chance. */
  *#makeRoom(): Io<void> {
    for (const [slot, resident] of this.#resident) {
      if (!resident.used) return yield* this.#moveFrom(slot, false);
      resident.used = false;
      // To the end of the order.
      this.#resident.delete(slot);
      this.#resident.set(slot, resident);
    }
  }

  *#moveFrom(first: number, all: boolean): Io<void> {
    const moving = (this.#moving ??= new Uint8Array(MOVED_AT_ONCE * CLUSTER));
    let count = 0;
    for (; count < MOVED_AT_ONCE; count++) {
      const resident = this.#resident.get(first + count);
      if (resident === undefined || (resident.used && !all && count > 0)) break;
      moving.set(resident.bytes, count * CLUSTER);
      resident.changed = false;
    }
    yield* perform(new Write(this.#file(), this.position(first, 0), moving.subarray(0, count * CLUSTER)));
    for (let slot = first; slot < first + count; slot++) {
      const resident = this.#resident.get(slot);
      if (resident === undefined || resident.changed) continue;
      this.#resident.delete(slot);
      this.#keepSpare(resident.bytes);
    }
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

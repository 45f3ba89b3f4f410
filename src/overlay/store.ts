/** Where the clusters of an overlay are kept: in memory up to a budget, then in a temporary source of the platform. */
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import { readExactly, type WritableSource, Write } from '../io/source.ts';

/** Bytes of a cluster: qemu's default for its temporary overlays. */
export const CLUSTER = 65_536;

/** Opens the place for what exceeds the budget of memory; called at most once. Where there is none, what exceeds it is ENOSPC. */
export type OpenTemporary = () => WritableSource;

/** Numbered slots of one cluster each; a freed slot is used again. */
export class ClusterStore {
  readonly #memorySlots: number;
  readonly #openTemporary: OpenTemporary | undefined;
  readonly #memory: Bytes[] = [];
  readonly #freeMemory: number[] = [];
  readonly #freeFile: number[] = [];
  #temporary: WritableSource | undefined;
  #nextFile: number;
  #used = 0;

  /** `budget` is in bytes, rounded down to whole clusters. */
  constructor(budget: number, openTemporary: OpenTemporary | undefined) {
    this.#memorySlots = Math.floor(budget / CLUSTER);
    this.#nextFile = this.#memorySlots;
    this.#openTemporary = openTemporary;
  }

  /** Slots in use. */
  get used(): number {
    return this.#used;
  }

  /** Bytes that the temporary source has grown to. */
  get temporaryBytes(): number {
    return (this.#nextFile - this.#memorySlots) * CLUSTER;
  }

  /** A slot with arbitrary contents. Throws Posix (ENOSPC) when memory is used up and there is no temporary source. */
  allocate(): number {
    this.#used++;
    const freed = this.#freeMemory.pop();
    if (freed !== undefined) return freed;
    if (this.#memory.length < this.#memorySlots) {
      this.#memory.push(new Uint8Array(CLUSTER));
      return this.#memory.length - 1;
    }
    const freedInFile = this.#freeFile.pop();
    if (freedInFile !== undefined) return freedInFile;
    if (this.#openTemporary === undefined) {
      this.#used--;
      throw new Posix('ENOSPC', {}, `the overlay's ${this.#memorySlots * CLUSTER} bytes of memory are used up`);
    }
    return this.#nextFile++;
  }

  free(slot: number): void {
    this.#used--;
    if (slot < this.#memorySlots) this.#freeMemory.push(slot);
    else this.#freeFile.push(slot);
  }

  /** Reads from byte `within` of a slot on, going on in the slots whose numbers follow. */
  *read(slot: number, within: number, target: Bytes): Io<void> {
    let done = 0;
    let at = within;
    for (let current = slot; done < target.length && current < this.#memorySlots; current++) {
      const part = (this.#memory[current] as Bytes).subarray(at, at + target.length - done);
      target.set(part, done);
      done += part.length;
      at = 0;
    }
    if (done === target.length) return;
    const position = this.#position(slot, within, done);
    yield* readExactly(this.#file(), position, done === 0 ? target : target.subarray(done));
  }

  /** Writes from byte `within` of a slot on, going on in the slots whose numbers follow. */
  *write(slot: number, within: number, bytes: Bytes): Io<void> {
    let done = 0;
    let at = within;
    for (let current = slot; done < bytes.length && current < this.#memorySlots; current++) {
      const length = Math.min(CLUSTER - at, bytes.length - done);
      (this.#memory[current] as Bytes).set(length === bytes.length ? bytes : bytes.subarray(done, done + length), at);
      done += length;
      at = 0;
    }
    if (done === bytes.length) return;
    yield* perform(new Write(this.#file(), this.#position(slot, within, done), done === 0 ? bytes : bytes.subarray(done)));
  }

  close(): void {
    this.#temporary?.close?.();
    this.#temporary = undefined;
    this.#memory.length = 0;
  }

  #file(): WritableSource {
    if (this.#temporary === undefined) {
      if (this.#openTemporary === undefined) throw new Posix('ENOSPC', {}, 'the overlay has no temporary storage');
      this.#temporary = this.#openTemporary();
    }
    return this.#temporary;
  }

  #position(slot: number, within: number, done: number): number {
    return (slot - this.#memorySlots) * CLUSTER + within + done;
  }
}

/**
 * Things that go wrong beneath a program that uses disks: a step that fails, a write that stops half-way or is torn, and the power cut
 * that loses what was written but not flushed.
 */
import type { Bytes } from '../bytes/index.ts';
import { type Errno, Posix } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { type Extent, perform, type WritableDevice, type WritableSource } from '../io/index.ts';

/** What a source or device does when its turn to fail has come. */
export type FaultKind =
  /** The request fails and does nothing. */
  | 'error'
  /** A write stores only its first half, to the byte, and fails. */
  | 'short'
  /** A write stores every other sector, and fails. */
  | 'torn';

export interface Fault {
  /** Which request fails: 1 is the next one. Reads, writes, truncations and flushes count alike. */
  readonly after: number;
  readonly kind?: FaultKind;
  /** Default EIO. */
  readonly code?: Errno;
  /** Every later request fails too: the disk is gone. Default false. */
  readonly forever?: boolean;
}

/** Bytes of a sector, the piece of a write that a disk stores whole or not at all. */
const SECTOR = 512;

/** Counts requests and says which of them fail. */
class FaultCounter {
  #fault: Fault | undefined;
  #left = 0;
  requests = 0;
  failures = 0;

  arm(fault: Fault | undefined): void {
    this.#fault = fault;
    this.#left = fault?.after ?? 0;
  }

  /** The fault that this request meets, if any. */
  next(): { readonly kind: FaultKind; readonly error: Posix } | undefined {
    this.requests++;
    const fault = this.#fault;
    if (fault === undefined) return undefined;
    this.#left--;
    if (this.#left > 0 || (this.#left < 0 && fault.forever !== true)) return undefined;
    this.failures++;
    return { kind: fault.kind ?? 'error', error: new Posix(fault.code ?? 'EIO', {}, 'injected') };
  }
}

/** The pieces of a failing write that are stored all the same. */
function storedPieces(kind: FaultKind, offset: number, bytes: Bytes): (readonly [number, Bytes])[] {
  if (kind === 'short' && bytes.length > 1) return [[offset, bytes.subarray(0, bytes.length >> 1)]];
  return kind === 'torn' ? sectorsOf(offset, bytes).filter((_, i) => i % 2 === 0) : [];
}

/** A write in pieces that lie within one sector each. */
function sectorsOf(offset: number, bytes: Bytes): (readonly [number, Bytes])[] {
  const pieces: (readonly [number, Bytes])[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + SECTOR - ((offset + at) % SECTOR));
    pieces.push([offset + at, bytes.subarray(at, end)]);
    at = end;
  }
  return pieces;
}

/** A source that does as the one below it, until an armed fault strikes. */
export class FaultySource implements WritableSource {
  readonly name: string;
  readonly preferredRequest: number;
  readonly below: WritableSource;
  readonly #counter = new FaultCounter();

  constructor(below: WritableSource) {
    this.below = below;
    this.name = below.name;
    this.preferredRequest = below.preferredRequest;
  }

  get size(): number {
    return this.below.size;
  }

  /** Requests so far. */
  get requests(): number {
    return this.#counter.requests;
  }

  /** Faults that struck so far. */
  get failures(): number {
    return this.#counter.failures;
  }

  /** Sets the next fault; undefined: no more faults. */
  arm(fault: Fault | undefined): void {
    this.#counter.arm(fault);
  }

  readSync(offset: number, target: Bytes): number {
    const fault = this.#counter.next();
    if (fault?.kind === 'short' && target.length > 1) return this.below.readSync?.(offset, target.subarray(0, target.length >> 1)) ?? 0;
    if (fault !== undefined) throw fault.error;
    if (this.below.readSync === undefined) throw new Posix('EOPNOTSUPP', { image: this.name });
    return this.below.readSync(offset, target);
  }

  writeSync(offset: number, bytes: Bytes): void {
    const fault = this.#counter.next();
    const pieces = fault === undefined ? [[offset, bytes] as const] : storedPieces(fault.kind, offset, bytes);
    for (const [at, piece] of pieces) this.below.writeSync?.(at, piece);
    if (fault !== undefined) throw fault.error;
  }

  truncateSync(size: number): void {
    const fault = this.#counter.next();
    if (fault !== undefined) throw fault.error;
    this.below.truncateSync?.(size);
  }

  flushSync(): void {
    const fault = this.#counter.next();
    if (fault !== undefined) throw fault.error;
    this.below.flushSync?.();
  }
}

/** The same for a device. */
export class FaultyDevice implements WritableDevice {
  readonly size: number;
  readonly preferredRequest: number;
  readonly below: WritableDevice;
  readonly #counter = new FaultCounter();

  constructor(below: WritableDevice) {
    this.below = below;
    this.size = below.size;
    this.preferredRequest = below.preferredRequest;
  }

  /** Requests so far. */
  get requests(): number {
    return this.#counter.requests;
  }

  /** Faults that struck so far. */
  get failures(): number {
    return this.#counter.failures;
  }

  /** Sets the next fault; undefined: no more faults. */
  arm(fault: Fault | undefined): void {
    this.#counter.arm(fault);
  }

  *read(offset: number, length: number): Io<Bytes> {
    this.#mayFail();
    return yield* this.below.read(offset, length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    this.#mayFail();
    yield* this.below.readInto(offset, target);
  }

  map(offset: number, length: number): Io<Extent> {
    return this.below.map(offset, length);
  }

  *write(offset: number, bytes: Bytes): Io<void> {
    const fault = this.#counter.next();
    if (fault === undefined) return yield* this.below.write(offset, bytes);
    for (const [at, piece] of storedPieces(fault.kind, offset, bytes)) yield* this.below.write(at, piece);
    throw fault.error;
  }

  *writeZeroes(offset: number, length: number): Io<void> {
    this.#mayFail();
    yield* this.below.writeZeroes(offset, length);
  }

  *discard(offset: number, length: number): Io<void> {
    this.#mayFail();
    yield* this.below.discard(offset, length);
  }

  *flush(): Io<void> {
    this.#mayFail();
    yield* this.below.flush();
  }

  #mayFail(): void {
    const fault = this.#counter.next();
    if (fault !== undefined) throw fault.error;
  }
}

/**
 * A disk with a volatile cache: what is written is seen at once, and is safe only after a flush. {@link afterPowerCut} tells what a machine
 * finds after the power failed now.
 */
export class VolatileSource implements WritableSource {
  readonly name: string;
  readonly preferredRequest = 4096;
  #durable: Bytes;
  #visible: Bytes;
  #pending: { readonly offset: number; readonly bytes: Bytes }[] = [];

  constructor(bytes: Bytes, name = 'disk') {
    this.#durable = bytes.slice();
    this.#visible = bytes.slice();
    this.name = name;
  }

  get size(): number {
    return this.#visible.length;
  }

  /** Sectors written since the last flush, in the order of writing. */
  get pendingSectors(): number {
    return this.#pending.length;
  }

  readSync(offset: number, target: Bytes): number {
    const part = this.#visible.subarray(offset, offset + target.length);
    target.set(part);
    return part.length;
  }

  writeSync(offset: number, bytes: Bytes): void {
    if (offset + bytes.length > this.#visible.length) this.#visible = resized(this.#visible, offset + bytes.length);
    this.#visible.set(bytes, offset);
    for (const [at, piece] of sectorsOf(offset, bytes)) this.#pending.push({ offset: at, bytes: piece.slice() });
  }

  /** A length is durable at once, as on journaling file systems. */
  truncateSync(size: number): void {
    this.#visible = resized(this.#visible, size);
    this.#durable = resized(this.#durable, size);
    this.#pending = this.#pending.filter(({ offset, bytes }) => offset + bytes.length <= size);
  }

  flushSync(): void {
    this.#durable = this.#visible.slice();
    this.#pending = [];
  }

  /** The disk after a power cut: of the sectors that were not flushed, those that `survives` picks were stored, in any order. */
  afterPowerCut(survives: (sector: number) => boolean): Bytes {
    let disk: Bytes = this.#durable.slice();
    this.#pending.forEach(({ offset, bytes }, i) => {
      if (!survives(i)) return;
      if (offset + bytes.length > disk.length) disk = resized(disk, offset + bytes.length);
      disk.set(bytes, offset);
    });
    return disk;
  }
}

function resized(bytes: Bytes, size: number): Bytes {
  const result = new Uint8Array(size);
  result.set(bytes.subarray(0, size));
  return result;
}

/**
 * The same computation, whose `failing`-th step fails: every read, write and flush is a step, whoever does it. When there are fewer steps
 * it runs to its end; {@link StepCount.steps} then says how many there were.
 */
export function* failingAt<T>(io: Io<T>, failing: number, count: StepCount = { steps: 0 }, code: Errno = 'EIO'): Io<T> {
  let step = io.next();
  while (step.done !== true) {
    count.steps++;
    let reply: unknown;
    try {
      if (count.steps === failing) throw new Posix(code, {}, 'injected');
      reply = yield* perform(step.value);
    } catch (error) {
      step = io.throw(error);
      continue;
    }
    step = io.next(reply);
  }
  return step.value;
}

export interface StepCount {
  steps: number;
}

/** Whether an error is one that was injected here. */
export function isInjected(error: unknown): boolean {
  return error instanceof Posix && error.message.includes('injected');
}

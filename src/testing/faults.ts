/** Sources and devices that fail when they are told to: a request that fails, a write that stops half-way or is torn. */
import type { Bytes } from '../bytes/index.ts';
import { type Errno, Posix } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import type { Extent, WritableDevice, WritableSource } from '../io/index.ts';
import { sectorsOf } from './sectors.ts';

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

/** Counts requests and says which of them fail. */
class Faulty {
  #fault: Fault | undefined;
  #left = 0;
  #requests = 0;
  #failures = 0;

  /** Requests so far. */
  get requests(): number {
    return this.#requests;
  }

  /** Faults that struck so far. */
  get failures(): number {
    return this.#failures;
  }

  /** Sets the next fault; undefined: no more faults. */
  arm(fault: Fault | undefined): void {
    this.#fault = fault;
    this.#left = fault?.after ?? 0;
  }

  /** The fault that this request meets, if any. */
  protected nextFault(): { readonly kind: FaultKind; readonly error: Posix } | undefined {
    this.#requests++;
    const fault = this.#fault;
    if (fault === undefined) return undefined;
    this.#left--;
    if (this.#left > 0 || (this.#left < 0 && fault.forever !== true)) return undefined;
    this.#failures++;
    return { kind: fault.kind ?? 'error', error: new Posix(fault.code ?? 'EIO', {}, 'injected') };
  }

  /** For requests that fail as a whole. */
  protected mayFail(): void {
    const fault = this.nextFault();
    if (fault !== undefined) throw fault.error;
  }
}

/** The pieces of a failing write that are stored all the same. */
function storedPieces(kind: FaultKind, offset: number, bytes: Bytes): (readonly [number, Bytes])[] {
  if (kind === 'short' && bytes.length > 1) return [[offset, bytes.subarray(0, bytes.length >> 1)]];
  return kind === 'torn' ? sectorsOf(offset, bytes).filter((_, i) => i % 2 === 0) : [];
}

/** A source that does as the one below it, until an armed fault strikes. */
export class FaultySource extends Faulty implements WritableSource {
  readonly name: string;
  readonly preferredRequest: number;
  readonly below: WritableSource;

  constructor(below: WritableSource) {
    super();
    this.below = below;
    this.name = below.name;
    this.preferredRequest = below.preferredRequest;
  }

  get size(): number {
    return this.below.size;
  }

  readSync(offset: number, target: Bytes): number {
    const fault = this.nextFault();
    if (fault?.kind === 'short' && target.length > 1) return this.below.readSync?.(offset, target.subarray(0, target.length >> 1)) ?? 0;
    if (fault !== undefined) throw fault.error;
    if (this.below.readSync === undefined) throw new Posix('EOPNOTSUPP', { image: this.name });
    return this.below.readSync(offset, target);
  }

  writeSync(offset: number, bytes: Bytes): void {
    const fault = this.nextFault();
    const pieces = fault === undefined ? [[offset, bytes] as const] : storedPieces(fault.kind, offset, bytes);
    for (const [at, piece] of pieces) this.below.writeSync?.(at, piece);
    if (fault !== undefined) throw fault.error;
  }

  truncateSync(size: number): void {
    this.mayFail();
    this.below.truncateSync?.(size);
  }

  flushSync(): void {
    this.mayFail();
    this.below.flushSync?.();
  }
}

/** The same for a device. */
export class FaultyDevice extends Faulty implements WritableDevice {
  readonly size: number;
  readonly preferredRequest: number;
  readonly below: WritableDevice;

  constructor(below: WritableDevice) {
    super();
    this.below = below;
    this.size = below.size;
    this.preferredRequest = below.preferredRequest;
  }

  *read(offset: number, length: number): Io<Bytes> {
    this.mayFail();
    return yield* this.below.read(offset, length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    this.mayFail();
    yield* this.below.readInto(offset, target);
  }

  map(offset: number, length: number): Io<Extent> {
    return this.below.map(offset, length);
  }

  *write(offset: number, bytes: Bytes): Io<void> {
    const fault = this.nextFault();
    if (fault === undefined) return yield* this.below.write(offset, bytes);
    for (const [at, piece] of storedPieces(fault.kind, offset, bytes)) yield* this.below.write(at, piece);
    throw fault.error;
  }

  *writeZeroes(offset: number, length: number): Io<void> {
    this.mayFail();
    yield* this.below.writeZeroes(offset, length);
  }

  *discard(offset: number, length: number): Io<void> {
    this.mayFail();
    yield* this.below.discard(offset, length);
  }

  *flush(): Io<void> {
    this.mayFail();
    yield* this.below.flush();
  }
}

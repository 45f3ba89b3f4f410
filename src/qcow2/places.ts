/** Which host clusters hold metadata, so that no write of anything else ever hits them. */
import { Corrupt, type Where } from '../errors.ts';

export type PlaceKind =
  | 'header'
  | 'L1 table'
  | 'L2 table'
  | 'refcount table'
  | 'refcount block'
  | 'snapshot table'
  | "snapshot's L1 table"
  | 'bitmaps'
  | 'encryption header';

export class MetadataPlaces {
  readonly #clusterSize: number;
  readonly #where: Where;
  readonly #kinds = new Map<number, PlaceKind>();

  constructor(clusterSize: number, where: Where) {
    this.#clusterSize = clusterSize;
    this.#where = where;
  }

  /** Remembers a structure. Throws Corrupt when another one stands there. */
  add(offset: number, length: number, kind: PlaceKind): void {
    if (length === 0) return;
    const last = Math.floor((offset + length - 1) / this.#clusterSize);
    for (let cluster = Math.floor(offset / this.#clusterSize); cluster <= last; cluster++) {
      const other = this.#kinds.get(cluster);
      if (other !== undefined && other !== kind) throw this.#overlap(offset, kind, other);
      this.#kinds.set(cluster, kind);
    }
  }

  /** Forgets a structure that was moved or freed. */
  remove(offset: number, length: number): void {
    if (length === 0) return;
    const last = Math.floor((offset + length - 1) / this.#clusterSize);
    for (let cluster = Math.floor(offset / this.#clusterSize); cluster <= last; cluster++) this.#kinds.delete(cluster);
  }

  /** Throws Corrupt when the range touches metadata of another kind than `kind`; without it, any metadata. */
  check(offset: number, length: number, kind?: PlaceKind): void {
    const last = Math.floor((offset + length - 1) / this.#clusterSize);
    for (let cluster = Math.floor(offset / this.#clusterSize); cluster <= last; cluster++) {
      const other = this.#kinds.get(cluster);
      if (other !== kind) throw this.#overlap(offset, kind ?? 'data', other ?? 'data');
    }
  }

  #overlap(offset: number, what: string, other: string): Corrupt {
    return new Corrupt(`${what} would be written over the ${other}; the image is damaged: check and repair it first`, {
      ...this.#where,
      offset,
    });
  }
}

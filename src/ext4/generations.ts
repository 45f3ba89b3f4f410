/** A bounded memory of things that can be read again: two generations, of which the older one is dropped when the younger is full. */
export class Generations<V> {
  readonly #limit: number;
  #young = new Map<number, V>();
  #old = new Map<number, V>();

  /** Keeps at most twice `limit` values. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: number): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: number, value: V): void {
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  delete(key: number): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}

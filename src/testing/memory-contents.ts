/** The bytes of a file in memory: blocks of 4 KiB by number, so that files may have holes and any size. */
import type { Bytes } from '../bytes/struct.ts';
import type { FileRun } from '../filesystem/filesystem.ts';

const BLOCK = 4096;

export class MemoryContents {
  #blocks = new Map<number, Bytes>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Bytes of the blocks that are there. */
  get storedBytes(): number {
    return this.#blocks.size * BLOCK;
  }

  copy(): MemoryContents {
    const copy = new MemoryContents();
    copy.#size = this.#size;
    for (const [index, block] of this.#blocks) copy.#blocks.set(index, block.slice());
    return copy;
  }

  read(offset: number, target: Bytes): number {
    const length = Math.max(0, Math.min(target.length, this.#size - offset));
    for (const [index, start, done, count] of pieces(offset, length)) {
      const block = this.#blocks.get(index);
      if (block === undefined) target.fill(0, done, done + count);
      else target.set(block.subarray(start, start + count), done);
    }
    return length;
  }

  write(offset: number, bytes: Bytes): void {
    for (const [index, start, done, count] of pieces(offset, bytes.length)) {
      this.#block(index).set(bytes.subarray(done, done + count), start);
    }
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  truncate(size: number): void {
    if (size < this.#size) this.punch(size, this.#size - size);
    this.#size = size;
  }

  punch(offset: number, length: number): void {
    const end = Math.min(offset + length, Math.ceil(this.#size / BLOCK) * BLOCK);
    // A file with few blocks and a long range: by its blocks, not by the range.
    for (const [index, block] of this.#blocks) {
      const from = Math.max(offset - index * BLOCK, 0);
      const to = Math.min(end - index * BLOCK, BLOCK);
      if (from >= to) continue;
      const coversAll = from === 0 && (to === BLOCK || index * BLOCK + to >= this.#size);
      if (coversAll) this.#blocks.delete(index);
      else block.fill(0, from, to);
    }
  }

  run(offset: number, length: number): FileRun {
    const end = Math.min(offset + length, this.#size);
    const hole = !this.#blocks.has(Math.floor(offset / BLOCK));
    let at = offset;
    if (hole) {
      let next = end;
      for (const index of this.#blocks.keys()) {
        const start = index * BLOCK;
        if (start > offset && start < next) next = start;
      }
      at = next;
    } else {
      while (at < end && this.#blocks.has(Math.floor(at / BLOCK))) at = Math.min(end, (Math.floor(at / BLOCK) + 1) * BLOCK);
    }
    return { length: at - offset, hole };
  }

  #block(index: number): Bytes {
    let block = this.#blocks.get(index);
    if (block === undefined) this.#blocks.set(index, (block = new Uint8Array(BLOCK)));
    return block;
  }
}

/** Block number, start in the block, bytes before it, and count, for each block that a range touches. */
function pieces(offset: number, length: number): (readonly [number, number, number, number])[] {
  const found: (readonly [number, number, number, number])[] = [];
  for (let done = 0; done < length; ) {
    const index = Math.floor((offset + done) / BLOCK);
    const start = (offset + done) % BLOCK;
    const count = Math.min(BLOCK - start, length - done);
    found.push([index, start, done, count]);
    done += count;
  }
  return found;
}

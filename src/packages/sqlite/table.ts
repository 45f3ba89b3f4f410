/** Rows of a table: its b-tree walked in order, with overflow pages ("B-tree Pages" of the file format). */
import { setBit, testBit } from '../../bytes/bitmap.ts';
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { decodeName } from '../../bytes/text.ts';
import { Corrupt } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { DATABASE_HEADER, INTERIOR_HEADER_SIZE, INTERIOR_TABLE, LEAF_TABLE, PAGE_HEADER, RIGHTMOST_POINTER } from './format.ts';
import { corrupt, type Pager } from './pager.ts';
import { parseRecord, readVarint, type Value } from './record.ts';

/** Pages from the root to a leaf; SQLite's own limit (BTCURSOR_MAX_DEPTH). */
const DEPTH_LIMIT = 20;

/** Whoever sees the rows, with their keys: true to go on. */
export type RowVisitor = (values: readonly Value[], key: number) => boolean;
/** Whoever is told of a row that cannot be read; the walk goes on. Without it the walk ends. */
export type DamageVisitor = (error: Corrupt) => void;

export class Tables {
  readonly #pager: Pager;
  /** Pages that were seen in a walk: a page belongs to one tree, or one chain, once. */
  readonly #seen: Bytes;

  constructor(pager: Pager) {
    this.#pager = pager;
    this.#seen = new Uint8Array(Math.ceil((pager.pages + 1) / 8));
  }

  /** The root page of a table, told by the schema; undefined when there is no such table. */
  *rootOf(table: string): Io<number | undefined> {
    let root: number | undefined;
    yield* this.forEachRow(1, ([type, name, , page]) => {
      const found = textOf(type) === 'table' && textOf(name)?.toLowerCase() === table.toLowerCase() && page?.kind === 'number';
      if (found) root = page.number;
      return !found;
    });
    return root;
  }

  /** Shows all rows of the table with this root, in the order of their keys. Throws Corrupt. */
  *forEachRow(root: number, visit: RowVisitor, damaged?: DamageVisitor): Io<void> {
    this.#seen.fill(0);
    yield* this.#walk(root, 1, visit, damaged);
  }

  *#walk(number: number, depth: number, visit: RowVisitor, damaged: DamageVisitor | undefined): Io<boolean> {
    if (depth > DEPTH_LIMIT) throw corrupt(`a tree of more than ${DEPTH_LIMIT} levels`);
    const page = yield* this.#once(number);
    const start = number === 1 ? DATABASE_HEADER.size : 0;
    const { type, cells } = PAGE_HEADER.read(page, start);
    const pointers = start + (type === INTERIOR_TABLE ? INTERIOR_HEADER_SIZE : PAGE_HEADER.size);
    if (type !== INTERIOR_TABLE && type !== LEAF_TABLE) throw corrupt(`page ${number} is no page of a table (type ${type})`);
    if (pointers + cells * 2 > page.length) throw corrupt(`page ${number} has room for fewer than ${cells} cells`);
    const view = viewOf(page);
    for (let i = 0; i < cells; i++) {
      const at = view.getUint16(pointers + i * 2);
      if (type === INTERIOR_TABLE) {
        if (at + 4 > page.length) throw corrupt(`cell ${i} of page ${number} lies outside of it`);
        if (!(yield* this.#walk(view.getUint32(at), depth + 1, visit, damaged))) return false;
      } else {
        const row = yield* this.#row(page, at, damaged);
        if (row !== undefined && !visit(row.values, row.key)) return false;
      }
    }
    if (type === LEAF_TABLE) return true;
    return yield* this.#walk(view.getUint32(start + RIGHTMOST_POINTER), depth + 1, visit, damaged);
  }

  *#row(page: Bytes, at: number, damaged: DamageVisitor | undefined): Io<{ values: Value[]; key: number } | undefined> {
    try {
      const { payload, key } = yield* this.#cell(page, at);
      return { values: parseRecord(payload), key };
    } catch (error) {
      if (!(error instanceof Corrupt) || damaged === undefined) throw error;
      damaged(error);
      return undefined;
    }
  }

  /** The payload of a leaf cell, put together from the page and its overflow pages. */
  *#cell(page: Bytes, at: number): Io<{ payload: Bytes; key: number }> {
    const { usable, pages } = this.#pager;
    const length = readVarint(page, at);
    const key = readVarint(page, length.next);
    const total = length.value;
    const maximum = usable - 35;
    if (total <= maximum) {
      if (key.next + total > page.length) throw corrupt('a cell ends outside of its page');
      return { payload: page.subarray(key.next, key.next + total), key: key.value };
    }
    if (total > pages * usable) throw corrupt(`a row of ${total} bytes is longer than the database`);
    const minimum = Math.floor(((usable - 12) * 32) / 255) - 23;
    const fitting = minimum + ((total - minimum) % (usable - 4));
    const local = fitting <= maximum ? fitting : minimum;
    if (key.next + local + 4 > page.length) throw corrupt('a cell ends outside of its page');
    const payload = new Uint8Array(total);
    payload.set(page.subarray(key.next, key.next + local));
    let next = viewOf(page).getUint32(key.next + local);
    for (let done = local; done < total; ) {
      const overflow = yield* this.#once(next);
      const part = Math.min(total - done, usable - 4);
      payload.set(overflow.subarray(4, 4 + part), done);
      done += part;
      next = viewOf(overflow).getUint32(0);
    }
    return { payload, key: key.value };
  }

  *#once(number: number): Io<Bytes> {
    const page = yield* this.#pager.page(number);
    if (testBit(this.#seen, number)) throw corrupt(`page ${number} is used twice`);
    setBit(this.#seen, number);
    return page;
  }
}

function textOf(value: Value | undefined): string | undefined {
  return value?.kind === 'text' ? decodeName(value.bytes) : undefined;
}

/** The tree of the guest as the page has it: directories are listed when they are opened, and a flat list of rows is what is drawn. */
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { call } from './client.ts';
import type { Brief, Entry, Failure, Kind } from './protocol.ts';
import { joinPath } from './shown.ts';

/** Rows that are made anew before each picture; more are made every {@link PAUSE_MS}. */
const SHORT = 5000;
const PAUSE_MS = 150;

export interface Node {
  readonly name: string;
  readonly kind: Kind;
  readonly parent: Node | undefined;
  readonly depth: number;
  children: Node[] | undefined;
  expanded: boolean;
  loading: boolean;
  problem: Failure | undefined;
  brief: Brief | undefined;
  asked: boolean;
}

function node(name: string, kind: Kind, parent: Node | undefined): Node {
  return {
    name,
    kind,
    parent,
    depth: parent === undefined ? 0 : parent.depth + 1,
    children: undefined,
    expanded: false,
    loading: false,
    problem: undefined,
    brief: undefined,
    asked: false,
  };
}

export function pathOf(of: Node): string {
  return of.parent === undefined ? '/' : joinPath(pathOf(of.parent), of.name);
}

export class TreeModel {
  #root: Node = node('', 'd', undefined);
  readonly #rows: Signal<readonly Node[]> = signal([]);
  readonly selected: Signal<Node | undefined> = signal(undefined);
  /** Grows when sizes and times came in. */
  readonly briefs: Signal<number> = signal(0);
  readonly #complain: (error: unknown) => void;
  #drawing = false;
  /** Answers that were asked for before a reset are of no use. */
  #generation = 0;

  constructor(complain: (error: unknown) => void) {
    this.#complain = complain;
  }

  get rows(): ReadonlySignal<readonly Node[]> {
    return this.#rows;
  }

  get root(): Node {
    return this.#root;
  }

  /** Begins anew at the root. */
  async reset(): Promise<void> {
    this.#generation++;
    this.#root = node('', 'd', undefined);
    this.selected.value = this.#root;
    await this.expand(this.#root);
  }

  async expand(of: Node): Promise<void> {
    if (of.kind !== 'd' || of.expanded) return;
    of.expanded = true;
    if (of.children === undefined) await this.#load(of);
    else this.#draw();
  }

  collapse(of: Node): void {
    of.expanded = false;
    this.#draw();
  }

  async #load(of: Node): Promise<void> {
    const generation = this.#generation;
    const before = new Map(of.children?.filter((child) => child.children !== undefined).map((child) => [child.name, child]));
    const children: Node[] = [];
    of.children = children;
    of.loading = true;
    of.problem = undefined;
    this.#draw();
    const add = (entries: readonly Entry[]): void => {
      if (generation !== this.#generation) return;
      for (const [name, kind] of entries) {
        const known = before.size === 0 ? undefined : before.get(name);
        if (known !== undefined && known.kind === kind) {
          known.brief = undefined;
          known.asked = false;
          children.push(known);
        } else children.push(node(name, kind, of));
      }
      this.#draw();
    };
    try {
      of.problem = (await call('list', { path: pathOf(of) }, { part: add })).problem;
    } catch (error) {
      if (generation !== this.#generation) return;
      of.problem = (error as { failure?: Failure }).failure;
      this.#complain(error);
    } finally {
      of.loading = false;
      this.#draw();
    }
  }

  /** Lists a directory again, if it was listed; what is open below it stays open. */
  async refresh(path: string): Promise<void> {
    const of = this.find(path);
    if (of?.children === undefined) return;
    const { value: selected } = this.selected;
    await this.#load(of);
    if (selected?.parent === of) this.selected.value = of.children.find(({ name }) => name === selected.name) ?? of;
  }

  /** Lists everything that is open again. */
  async refreshAll(): Promise<void> {
    const open: string[] = [];
    const gather = (of: Node): void => {
      if (of.children === undefined) return;
      open.push(pathOf(of));
      for (const child of of.children) gather(child);
    };
    gather(this.#root);
    for (const path of open) await this.refresh(path);
  }

  /** The node of a path, as far as it is listed. */
  find(path: string): Node | undefined {
    let here: Node | undefined = this.#root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      here = here?.children?.find((child) => child.name === name);
    }
    return here;
  }

  /** Opens the directories on the way to a path and selects it. */
  async reveal(path: string): Promise<void> {
    let here = this.#root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      await this.expand(here);
      const next = here.children?.find((child) => child.name === name);
      if (next === undefined) break;
      here = next;
    }
    this.selected.value = here;
  }

  /** Asks for sizes and times of rows that are seen. */
  async ask(rows: readonly Node[]): Promise<void> {
    const wanted = new Map<Node, Node[]>();
    for (const row of rows) {
      if (row.asked || row.parent === undefined) continue;
      row.asked = true;
      const group = wanted.get(row.parent);
      if (group === undefined) wanted.set(row.parent, [row]);
      else group.push(row);
    }
    for (const [parent, group] of wanted) {
      try {
        const found = await call('briefs', { folder: pathOf(parent), names: group.map(({ name }) => name) });
        for (const [i, row] of group.entries()) row.brief = found[i];
      } catch {
        // The rows stay without; what is wrong is told where they are opened.
      }
    }
    if (wanted.size > 0) this.briefs.value++;
  }

  /** Makes the rows, once before the next picture; less often while a long directory comes in. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    const soon = this.#rows.value.length < SHORT ? requestAnimationFrame : (draw: () => void) => setTimeout(draw, PAUSE_MS);
    soon(() => {
      this.#drawing = false;
      const rows: Node[] = [];
      flatten(this.#root, rows);
      this.#rows.value = rows;
    });
  }
}

function flatten(of: Node, rows: Node[]): void {
  rows.push(of);
  if (!of.expanded || of.children === undefined) return;
  for (const child of of.children) {
    if (child.expanded) flatten(child, rows);
    else rows.push(child);
  }
}

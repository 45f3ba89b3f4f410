/** The progress bar: on standard error, when that is a terminal, after two seconds. */
import * as fs from 'node:fs';
import { isTerminal } from './output.ts';

const PATIENCE_MS = 2000;
const INTERVAL_MS = 100;
const BAR = 40;

export class Progress {
  readonly #terminal = isTerminal(2);
  readonly #start = Date.now();
  #next: number = this.#start + PATIENCE_MS;
  #shown = false;

  /** Shows how far the work is, now and then. */
  show(done: number, total?: number): void {
    if (!this.#terminal) return;
    const time = Date.now();
    if (time < this.#next) return;
    this.#next = time + INTERVAL_MS;
    this.#shown = true;
    const seconds = Math.floor((time - this.#start) / 1000);
    const clock = `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
    const part = total === undefined || total === 0 ? undefined : Math.min(1, done / total);
    const bar = part === undefined ? `${(done / 1048576).toFixed(0)} MiB` : `${'#'.repeat(Math.floor(part * BAR)).padEnd(BAR, '-')}`;
    const text = part === undefined ? ` ${bar} ${clock}` : ` ${String(Math.floor(part * 100)).padStart(3)}% [${bar}] ${clock}`;
    this.#write(`\r${text}\u001b[K`);
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#shown) this.#write('\r\u001b[K');
    this.#shown = false;
  }

  #write(text: string): void {
    try {
      fs.writeSync(2, text);
    } catch {
      // Nobody looks.
    }
  }
}

/** Signals during commands that leave something unfinished when they are broken off. */
import * as fs from 'node:fs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const unfinished = new Set<string>();

/** Names a file that has to go when the program is ended by a signal; what is returned takes it off the list. */
export function removeOnSignal(file: string): () => void {
  unfinished.add(file);
  return () => {
    unfinished.delete(file);
  };
}

/**
 * Listens to signals: the unfinished files are removed, then the signal has its usual effect. Only for commands that run asynchronously and pause
 * now and then: while others work no signal would be heard, and they could not be ended at all.
 */
export function listenToSignals(): void {
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      for (const file of unfinished) fs.rmSync(file, { force: true });
      process.kill(process.pid, signal);
    });
  }
}

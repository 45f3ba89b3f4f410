/** Signals while something is unfinished. */
import * as fs from 'node:fs';
import { hostPath } from '../platform/node/file.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const unfinished = new Set<string>();
let mayListen = false;

/**
 * Names a file that has to go when the program is ended by a signal; what is returned takes it off the list. As long as there is none,
 * signals have their usual effect at once.
 */
export function removeOnSignal(file: string): () => void {
  if (mayListen && unfinished.size === 0) for (const signal of SIGNALS) process.on(signal, end);
  unfinished.add(file);
  return () => {
    if (unfinished.delete(file) && unfinished.size === 0) for (const signal of SIGNALS) process.off(signal, end);
  };
}

function end(signal: NodeJS.Signals): void {
  for (const file of unfinished) fs.rmSync(hostPath(file), { force: true });
  for (const one of SIGNALS) process.off(one, end);
  process.kill(process.pid, signal);
}

/**
 * Allows {@link removeOnSignal} to listen: signals are then heard only when the program pauses. Only for commands that run asynchronously and
 * do so now and then; others could not be ended at all.
 */
export function listenToSignals(): void {
  mayListen = true;
}

/** The program that runs, or ran last: it goes on while other views are shown. */
import { effect, type Signal, signal } from '@preact/signals';
import { CallFailed, call } from './client.ts';
import type { Calls } from './protocol.ts';
import { shownOutput } from './shown.ts';
import { changed, complain, opened, refreshStatistics, statistics, tree, version } from './state.ts';

export interface OutputPiece {
  readonly error: boolean;
  readonly text: string;
}

export type ProgramChoice = Calls['program']['args']['program'];

export interface Outcome {
  readonly text: string;
  readonly good: boolean;
  /** The disk has changes now that it did not have before. */
  readonly changed: boolean;
}

/** What the form says; it is kept while other views are shown. */
export const choice: Signal<ProgramChoice | undefined> = signal(undefined);
export const commandLine: Signal<string> = signal('');
export const environment: Signal<string> = signal('');
export const input: Signal<string> = signal('');

export const output: Signal<readonly OutputPiece[]> = signal([]);
export const outcome: Signal<Outcome | undefined> = signal(undefined);
export const running: Signal<AbortController | undefined> = signal(undefined);

// A program does not outlive the image that it runs over.
effect(() => {
  if (opened.value !== undefined) return;
  running.peek()?.abort();
  output.value = [];
  outcome.value = undefined;
  if (choice.peek() !== undefined && 'path' in (choice.peek() as ProgramChoice)) choice.value = undefined;
});

/** Joins what comes in one frame, so that a program that prints much does not redraw for each line. */
class Gathering {
  #pieces: OutputPiece[] = [];
  #frame = 0;
  readonly #decoders = [new TextDecoder(), new TextDecoder()] as const;

  add(bytes: Uint8Array<ArrayBuffer>, error: boolean): void {
    this.#put(this.#decoders[error ? 1 : 0].decode(bytes, { stream: true }), error);
    this.#frame ||= requestAnimationFrame(() => this.flush());
  }

  flush(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (this.#pieces.length === 0) return;
    const pieces = [...output.peek()];
    for (const piece of this.#pieces) {
      const last = pieces.at(-1);
      if (last !== undefined && last.error === piece.error && last.text.length < 16_384) {
        pieces[pieces.length - 1] = { error: piece.error, text: last.text + piece.text };
      } else pieces.push(piece);
    }
    this.#pieces = [];
    output.value = pieces;
  }

  #put(text: string, error: boolean): void {
    if (text !== '') this.#pieces.push({ error, text: shownOutput(text) });
  }
}

/** Runs the program that was chosen. */
export async function start(program: ProgramChoice, words: readonly string[]): Promise<void> {
  const controller = new AbortController();
  const gathering = new Gathering();
  const before = statistics.value.changed;
  const began = performance.now();
  running.value = controller;
  output.value = [];
  outcome.value = undefined;
  try {
    const env = environment.value.split('\n').filter((line) => line.includes('='));
    const { status, failure } = await call(
      'program',
      { program, words, env, input: input.value },
      { signal: controller.signal, part: ({ bytes, error }) => gathering.add(bytes, error) },
    );
    gathering.flush();
    await refreshStatistics();
    const didChange = statistics.value.changed !== before;
    const took = `after ${((performance.now() - began) / 1000).toFixed(1)} s`;
    const text = failure === undefined ? `It ended with status ${status} ${took}.` : `${failure.message} (${took}).`;
    outcome.value = { text, good: status === 0, changed: didChange };
    if (statistics.value.changed > 0) {
      changed.value ||= didChange;
      version.value++;
      await tree.refreshAll();
    }
  } catch (error) {
    if (error instanceof CallFailed && error.failure.family === 'cancelled') {
      gathering.flush();
      outcome.value = { text: 'It was stopped. Nothing of what it changed was kept.', good: false, changed: false };
    } else complain(error);
  } finally {
    running.value = undefined;
  }
}

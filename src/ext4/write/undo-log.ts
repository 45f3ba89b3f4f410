/**
 * How to take back in memory what one verb changed there, while changes of verbs before it still wait to be written: an inner verb of a
 * transaction can fail on its own.
 */
export class UndoLog {
  #steps: (() => void)[] | undefined;

  /** Whether steps are wanted: nothing is recorded when all that is in memory stands on the device too. */
  get recording(): boolean {
    return this.#steps !== undefined;
  }

  begin(): void {
    this.#steps = [];
  }

  /** Adds a step, which undoes exactly one change; steps are taken in reverse order. */
  push(step: () => void): void {
    this.#steps?.push(step);
  }

  end(): void {
    this.#steps = undefined;
  }

  undo(): void {
    const steps = this.#steps ?? [];
    this.#steps = undefined;
    for (let i = steps.length - 1; i >= 0; i--) steps[i]!();
  }
}

/** What a check finds, counted and told. */

/** Findings that are told; more of them are only counted. */
export const MAX_FINDINGS = 10_000;

export class CheckFindings {
  /** One line for each. */
  readonly lines: string[] = [];
  corruptions = 0;
  leaks = 0;
  errors = 0;

  /** Something that puts data at risk. */
  corruption(finding: string, times = 1): void {
    this.corruptions += times;
    this.#note(finding);
  }

  /** Space that is lost. */
  leak(finding: string): void {
    this.leaks++;
    this.#note(finding);
  }

  /** Something that could not be checked. */
  error(finding: string, times = 1): void {
    this.errors += times;
    this.#note(finding);
  }

  #note(finding: string): void {
    if (this.lines.length < MAX_FINDINGS) this.lines.push(finding);
  }
}

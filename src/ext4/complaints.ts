/** What is wrong with an image but did not stop the work: a bounded list of warnings, and the rule for wrong checksums. */
import { Corrupt, type Where } from '../errors.ts';
import type { Warning } from '../filesystem/filesystem.ts';

/** How many warnings are kept; a last one says that there were more. */
const MAX_WARNINGS = 100;

export class Complaints {
  readonly #warnings: Warning[] = [];
  readonly #checksums: 'verify' | 'ignore';

  constructor(checksums: 'verify' | 'ignore') {
    this.#checksums = checksums;
  }

  get checksums(): 'verify' | 'ignore' {
    return this.#checksums;
  }

  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  warn(message: string, where: Pick<Where, 'offset' | 'inode'> = {}): void {
    if (this.#warnings.length > MAX_WARNINGS) return;
    const warning =
      this.#warnings.length === MAX_WARNINGS ? { message: 'there are more warnings, which are not shown' } : { message, ...where };
    if (
      !this.#warnings.some((known) => known.message === warning.message && known.offset === where.offset && known.inode === where.inode)
    ) {
      this.#warnings.push(warning);
    }
  }

  /** A checksum does not match: Corrupt, or a warning when the caller chose to ignore checksums. */
  mismatch(what: string, where: Pick<Where, 'offset' | 'inode'>): void {
    const message = `${what}: the checksum does not match the contents`;
    if (this.#checksums === 'verify') throw new Corrupt(message, { layer: 'ext4', ...where });
    this.warn(message, where);
  }
}

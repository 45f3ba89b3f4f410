/** How the readers of rpm's databases show what they find. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';

/** Whoever sees what a database holds. */
export interface BlobVisitor {
  /** The header of a package; `what` names the entry for messages. The bytes may be a view of a page: copy what you keep. */
  blob(header: Bytes, what: string): void;
  /** An entry that cannot be read, or is not whole. */
  damaged(error: Corrupt): void;
}

/** Runs `body`; what is damaged in it is told to `visitor`, and gives undefined. */
export function* orDamaged<T>(visitor: BlobVisitor, body: () => Io<T>): Io<T | undefined> {
  try {
    return yield* body();
  } catch (error) {
    if (!(error instanceof Corrupt)) throw error;
    visitor.damaged(error);
    return undefined;
  }
}

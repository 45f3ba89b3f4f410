/** How values of the libguestfs API look here. Strings are text of `decodeName`, which loses no byte. */
import type { Bytes } from '../../bytes/struct.ts';
import type { Io } from '../../io/effect.ts';

export type { Pull } from '../../io/pieces.ts';

/** Takes the next piece of a stream; throws when its receiver wants no more. The bytes may be changed once it returns. */
export type Push = (bytes: Bytes) => Io<void>;

/** A function: its arguments by name, and its result. */
export interface Call<A, R> {
  readonly args: Readonly<A>;
  readonly result: R;
}

export type NoArguments = Record<never, never>;

/** An opened disk image: the disk in it, the file it stands in and the images below it. */
import type { Warning } from '../errors.ts';
import type { ByteSource } from '../io/source.ts';
import type { Layer } from '../qcow2/location.ts';
import type { Metadata } from '../qcow2/metadata.ts';

export interface Image extends Layer {
  /** QEMU's name of the format: `raw`, `qcow2`. */
  readonly format: string;
  readonly source: ByteSource;
  /** The image that shows where this one has nothing. */
  readonly backing?: Image | undefined;
  /** What the qcow2 file says about itself. */
  readonly metadata?: Metadata;
  /** The file was compressed as a whole, and `source` holds what came out of it: what is written there reaches no file. */
  readonly unpacked?: boolean;
  readonly warnings: readonly Warning[];
  /** Closes the files of the whole chain. The image cannot be used afterwards. */
  close(): void;
}

/** The images of a chain, from the top down. */
export function chainOf(image: Image): readonly Image[] {
  const chain: Image[] = [];
  for (let layer: Image | undefined = image; layer !== undefined; layer = layer.backing) chain.push(layer);
  return chain;
}

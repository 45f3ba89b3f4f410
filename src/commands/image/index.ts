/** The commands under `img`: images as containers, in the manner of qemu-img. */
import type { Command } from '../declaration.ts';

/** Each entry is declared in a file of its own in this folder. */
export const IMAGE_COMMANDS: readonly Command[] = [];

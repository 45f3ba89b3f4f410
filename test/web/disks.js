// Disks that several tests open.
import { makeDisk, makeTree } from './images.js';
import { at, once } from './runner.js';

/** A small Linux in the one partition of a GPT disk; its files are in `small-tree`. No test may change it. */
export const smallDisk = once(() => {
  makeDisk(at('small.raw'), 96 << 20, makeTree(at('small-tree')));
  return at('small.raw');
});

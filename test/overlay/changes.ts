/** The change that the commit tests make: data, some of them where nothing was, zeros, a discard and a short last cluster. */
import { runSync } from '../../src/io/index.ts';
import { CLUSTER, type OverlayDevice } from '../../src/overlay/index.ts';

export const IMAGE_SIZE: number = 9 * CLUSTER + 1000;

const IMAGE = new Uint8Array(IMAGE_SIZE);
for (let i = 0; i < IMAGE_SIZE; i++) IMAGE[i] = (i * 7 + (i >> 9)) & 0xff || 3;
IMAGE.fill(0, 7 * CLUSTER, 8 * CLUSTER);

export function image(): Uint8Array {
  return IMAGE.slice();
}

export function applyChanges(overlay: OverlayDevice): void {
  runSync(overlay.write(100, new Uint8Array(1000).fill(0xaa)));
  runSync(overlay.write(2 * CLUSTER - 10, new Uint8Array(CLUSTER).fill(0xbb)));
  runSync(overlay.writeZeroes(4 * CLUSTER, CLUSTER));
  runSync(overlay.discard(5 * CLUSTER, CLUSTER));
  runSync(overlay.write(7 * CLUSTER, new Uint8Array(CLUSTER).fill(0xdd)));
  runSync(overlay.write(9 * CLUSTER + 5, new Uint8Array(900).fill(0xcc)));
}

/** The image after the change. */
export function changed(): Uint8Array {
  const bytes = image();
  bytes.fill(0xaa, 100, 1100);
  bytes.fill(0xbb, 2 * CLUSTER - 10, 3 * CLUSTER - 10);
  bytes.fill(0, 4 * CLUSTER, 6 * CLUSTER);
  bytes.fill(0xdd, 7 * CLUSTER, 8 * CLUSTER);
  bytes.fill(0xcc, 9 * CLUSTER + 5, 9 * CLUSTER + 905);
  return bytes;
}

/** Files that grow, and where their bytes go. */
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { clusterOffset } from './bpb.ts';
import { ATTR_ARCHIVE } from './format.ts';
import { encodeTime } from './time.ts';
import type { Node } from './volume.ts';
import type { WritableVolume } from './writable-volume.ts';

/** Gives a file the clusters for `size` bytes; what is between its old end and `zeroUntil`, and slack at the new end, reads as zeros. */
export function* growFile(volume: WritableVolume, node: Node, size: number, zeroUntil: number): Io<Node> {
  const { clusterSize } = volume.geometry;
  const wanted = Math.ceil(size / clusterSize);
  const chain = volume.chain(node);
  const have = yield* chain.length(wanted);
  if (have < Math.ceil(node.size / clusterSize)) {
    throw new Corrupt(`the file has ${have} clusters but is ${node.size} bytes long; run fsck.vfat`, { layer: 'vfat', inode: node.id });
  }
  let { firstCluster } = node;
  if (have < wanted) {
    const last = have === 0 ? undefined : yield* chain.runAt(have - 1);
    const added = yield* volume.fat.allocate(wanted - have, last?.cluster ?? 0);
    if (have === 0) {
      firstCluster = added[0]?.cluster ?? 0;
      volume.chains.delete(node.id);
    } else chain.append(added);
  }
  const grown = { ...node, firstCluster, size };
  if (size > node.size) {
    const zero = (at: number, from: number, to: number): Io<void> => volume.device.writeZeroes(at, to - from);
    if (zeroUntil > node.size) yield* transfer(volume, grown, node.size, zeroUntil, zero);
    const end = wanted * clusterSize;
    if (have < wanted && end > size) yield* transfer(volume, grown, Math.max(size, have * clusterSize), end, zero);
  }
  return grown;
}

/** Runs `step` for each run of device bytes that holds the file's bytes `[start, end)`: (device offset, file offsets from, to). */
export function* transfer(
  volume: WritableVolume,
  node: Node,
  start: number,
  end: number,
  step: (at: number, from: number, to: number) => Io<void>,
): Io<void> {
  const { clusterSize } = volume.geometry;
  for (let at = start; at < end; ) {
    const index = Math.floor(at / clusterSize);
    const run = yield* volume.chain(node).runAt(index);
    if (run === undefined) throw new Corrupt('the file has fewer clusters than bytes', { layer: 'vfat', inode: node.id });
    const within = at - index * clusterSize;
    const length = Math.min(end - at, run.count * clusterSize - within);
    yield* step(clusterOffset(volume.geometry, run.cluster) + within, at, at + length);
    at += length;
  }
}

/** Writes back a file's size and start, stamps it and marks it for archiving. */
export function* touchFile(volume: WritableVolume, node: Node): Io<void> {
  if (node.offset === undefined || node.entry === undefined) return;
  const { date, time } = encodeTime(volume.clock(), volume.zoneMinutes);
  yield* volume.patchEntry(node.offset, {
    ...volume.startFields(node.firstCluster),
    DIR_FileSize: node.size,
    DIR_Attr: node.entry.DIR_Attr | ATTR_ARCHIVE,
    DIR_WrtDate: date,
    DIR_WrtTime: time,
  });
}

/** rename(2) on FAT: names move from directory to directory, and a target that is there gives way as in Linux. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import type { NodeId } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { clusterOffset } from './bpb.ts';
import type { Entry } from './directory.ts';
import { existingEntry, insertEntry, removeEntry } from './directory-write.ts';
import { DIRECTORY_ENTRY, ENTRY_SIZE, NTRES_LOWER_BASE, NTRES_LOWER_EXTENSION, type ShortEntry } from './format.ts';
import { newName } from './shortname.ts';
import type { Node } from './volume.ts';
import { failure, parentCluster, type WritableVolume } from './writable-volume.ts';
import { decodeWtf8 } from './wtf8.ts';

/** Levels of directories to climb before giving up on a tree that never ends. */
const MAX_DEPTH = 65_536;

/** Gives a node another name. Throws Posix as rename(2) does, with the order of its checks. */
export function* renameNode(volume: WritableVolume, directory: NodeId, name: Bytes, newDirectory: NodeId, newBytes: Bytes): Io<void> {
  const from = yield* volume.directoryNode(directory);
  const to = yield* volume.directoryNode(newDirectory);
  const { contents, entry } = yield* existingEntry(volume, from, name);
  const node = yield* volume.node(volume.nodeAt(entry.position));
  const fields = node.entry as ShortEntry;
  const asGiven = decodeWtf8(newBytes);
  const target = yield* volume.directory(to);
  const there = asGiven === undefined ? undefined : target.find(asGiven);
  if (node.isDirectory && to.id !== from.id && (yield* isSelfOrAbove(volume, node, to))) throw failure('EINVAL', node.id);
  if (there !== undefined && there.position !== entry.position) {
    yield* replaceEntry(volume, from, node, there);
    yield* removeEntry(volume, contents, entry);
    volume.numbers.move(node.id, there.position);
    const slot = there.slot;
    target.remove(there);
    target.add({ ...there, slot, isDirectory: node.isDirectory });
  } else {
    const text = newName(newBytes);
    if (there !== undefined && there.name === text) return;
    // The old name goes first, so that its slots and its short name are free for the new one.
    yield* removeEntry(volume, contents, entry);
    const added = yield* insertEntry(volume, to, target, text, fields);
    volume.numbers.move(node.id, added.position);
  }
  if (node.isDirectory && to.id !== from.id) {
    const offset = clusterOffset(volume.geometry, node.firstCluster) + ENTRY_SIZE;
    yield* volume.patchEntry(offset, volume.startFields(parentCluster(to)));
  }
  volume.chains.delete(node.id);
  yield* volume.stamp(from);
  if (to.id !== from.id) yield* volume.stamp(to);
}

/** Puts a node in the place of another one, whose stored name stays, as in Linux. */
function* replaceEntry(volume: WritableVolume, from: Node, node: Node, there: Entry): Io<void> {
  const victim = yield* volume.node(volume.nodeAt(there.position));
  if (victim.isDirectory && !node.isDirectory) {
    // Linux looks first whether the target is above what moves, which makes it not empty (do_renameat2).
    throw failure((yield* isSelfOrAbove(volume, victim, from)) ? 'ENOTEMPTY' : 'EISDIR', victim.id);
  }
  if (!victim.isDirectory && node.isDirectory) throw failure('ENOTDIR', victim.id);
  if (victim.isDirectory && (yield* volume.directory(victim)).count > 0) throw failure('ENOTEMPTY', victim.id);
  yield* volume.fat.release(victim.firstCluster, 0);
  const { entry: kept, offset } = victim;
  if (kept === undefined || offset === undefined || node.entry === undefined) throw failure('EINVAL', victim.id);
  const cases = NTRES_LOWER_BASE | NTRES_LOWER_EXTENSION;
  yield* volume.patchEntry(offset, {
    ...node.entry,
    DIR_Name: kept.DIR_Name,
    DIR_NTRes: (node.entry.DIR_NTRes & ~cases) | (kept.DIR_NTRes & cases),
  });
  volume.gone(victim);
}

/** Whether `to` is the directory `node` or stands anywhere inside of it. */
function* isSelfOrAbove(volume: WritableVolume, node: Node, to: Node): Io<boolean> {
  const isTop = (cluster: number): boolean => cluster === 0 || cluster === volume.geometry.rootCluster;
  let cluster = to.firstCluster;
  for (let depth = 0; !isTop(cluster); depth++) {
    if (cluster === node.firstCluster) return true;
    if (depth > MAX_DEPTH) throw new Corrupt('the parents of a directory never end', { layer: 'vfat', inode: to.id });
    volume.fat.checkCluster(cluster, 'a parent directory');
    const offset = clusterOffset(volume.geometry, cluster) + ENTRY_SIZE;
    const dots = DIRECTORY_ENTRY.read(yield* volume.device.read(offset, ENTRY_SIZE));
    cluster = (volume.geometry.bits === 32 ? dots.DIR_FstClusHI : 0) * 0x1_0000 + dots.DIR_FstClusLO;
  }
  return false;
}

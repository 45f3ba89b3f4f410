/** `img snapshot`: the internal snapshots of a qcow2 image. */
import { describeImage } from '../../image/information.ts';
import type { Io } from '../../io/effect.ts';
import { applySnapshot, createSnapshot, deleteSnapshot } from '../../qcow2/snapshot-write.ts';
import type { Run } from '../declaration.ts';
import { printJson, printText, wantsJson } from './document.ts';
import { snapshotTable } from './info.ts';
import { openQcow2ForWriting } from './open-writable.ts';

export const snapshot: Run = function* (invocation, host, output): Io<number> {
  const name = invocation.argument('IMAGE');
  const actions = ['--create', '--apply', '--delete', '--list'].filter((option) => invocation.has(option));
  if (actions.length > 1) throw invocation.wrongUse('only one of -l, -c, -a and -d can be done at once');
  const action = actions[0] ?? '--list';
  const format = invocation.value('--format');
  if (action === '--list') {
    const source = yield* host.openFile(name);
    const { information } = yield* describeImage(source, format === undefined ? {} : { format });
    const snapshots = information.snapshots ?? [];
    if (wantsJson(invocation)) yield* printJson(output, snapshots);
    else if (snapshots.length > 0) yield* printText(output, `Snapshot list:\n${snapshotTable(snapshots).join('\n')}\n`);
    return 0;
  }
  const which = invocation.value(action) ?? '';
  const { disk } = yield* openQcow2ForWriting(host, name, format, 'snapshots');
  if (action === '--create') yield* createSnapshot(disk, { name: which, ...host.now() });
  else if (action === '--apply') yield* applySnapshot(disk, which);
  else yield* deleteSnapshot(disk, which);
  return 0;
};

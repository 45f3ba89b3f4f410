/** What the writing verbs share: changes go to an overlay, and from there, when all is well, to where the user said. */
import { openDisk } from '../guest/disk.ts';
import { EditableTree } from '../guest/edit.ts';
import { FILE_SYSTEMS, type Mounter, type Registry } from '../guest/registry.ts';
import type { BlockDevice, WritableDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { BufferedDevice, type TransactionalDevice } from '../io/transaction.ts';
import { OverlayDevice } from '../overlay/overlay.ts';
import { mountWritableVfat } from '../vfat/writable.ts';
import type { Host } from './host.ts';
import { type Invocation, UsageError } from './invocation.ts';
import { mountChosen, openNamedImage } from './open.ts';

/** The file systems that can be changed, over those that can be read. */
const WRITABLE: Registry = new Map<string, Mounter>([
  ...FILE_SYSTEMS,
  [
    'vfat',
    (device, options) =>
      mountWritableVfat(transactional(device), { ...options.vfat, ...(options.clock === undefined ? {} : { clock: options.clock }) }),
  ],
]);

/** The device itself where it has transactions, else one that has them over it. */
function transactional(device: BlockDevice): TransactionalDevice {
  const known = device as Partial<TransactionalDevice>;
  return typeof known.begin === 'function' ? (device as TransactionalDevice) : new BufferedDevice(device as WritableDevice);
}

/** Changes the files of the image that IMAGE names: `body` as one transaction, then `--commit` or `--overlay`. Returns the exit status. */
export function* editImage(invocation: Invocation, host: Host, body: (tree: EditableTree) => Io<void>): Io<number> {
  const { name } = invocation.command;
  const commit = invocation.has('--commit');
  const target = invocation.value('--overlay');
  if (commit === (target !== undefined)) {
    const message = commit ? '--commit and --overlay exclude each other' : 'say where the changes go: --commit or --overlay NEW.qcow2';
    throw new UsageError(`${name}: ${message}`, `${name} --help`);
  }
  const saving = yield* host.prepareSave(invocation.argument('IMAGE'), target);
  const image = yield* openNamedImage(invocation, host);
  const overlay = new OverlayDevice(image, { temporary: () => host.openTemporary() });
  const disk = yield* openDisk(overlay, {
    ignoreChecksums: invocation.value('--checksums') === 'ignore',
    clock: () => host.now(),
    registry: WRITABLE,
  });
  const tree = new EditableTree();
  yield* mountChosen(tree, invocation, disk, host);
  yield* tree.transaction(() => body(tree));
  yield* tree.flush();
  yield* saving.save(image, overlay);
  return 0;
}

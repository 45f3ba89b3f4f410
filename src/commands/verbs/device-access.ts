/** What verbs that write to devices have to ask first: is it read-only, is it in use? */
import { isZero } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import type { BlockDevice, WritableDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import type { TransactionalDevice } from '../../io/transaction.ts';
import { parseDeviceName } from '../../partition/index.ts';
import type { Handle, StateKey } from './handle.ts';

/** Devices that were set read-only, by name. */
const READ_ONLY: StateKey<Set<string>> = { name: 'read-only devices', initial: () => new Set() };
/** Devices and files that are swapped to. */
export const SWAPS: StateKey<Set<string>> = { name: 'swap areas in use', initial: () => new Set() };

/** The drive of a device, by name. */
function wholeDevice(device: string): string {
  return parseDeviceName(device)?.disk ?? device;
}

/** Lets a device be written, or not. */
export function setReadOnly(handle: Handle, device: string, readOnly: boolean): void {
  const set = handle.state(READ_ONLY);
  if (readOnly) set.add(device);
  else set.delete(device);
}

/** Whether a device, or the drive that it lies on, was set read-only. */
export function isReadOnly(handle: Handle, device: string): boolean {
  const set = handle.state(READ_ONLY);
  return set.has(device) || set.has(wholeDevice(device));
}

/** Whether anything of a device is mounted or swapped to; of a drive also when it is one of its partitions. */
export function isBusy(handle: Handle, device: string): boolean {
  const used = [...handle.mounts.map((mount) => mount.device), ...handle.state(SWAPS)];
  return used.some((other) => other === device || wholeDevice(other) === device);
}

/** Throws EBUSY for a device of which something is in use. */
export function requireIdle(handle: Handle, device: string): void {
  if (isBusy(handle, device)) throw new Posix('EBUSY', { path: device });
}

/** The bytes of a device for changing; afterwards {@link Handle.forget} has to be called. Throws EPERM for one that was set read-only. */
export function* writableDevice(handle: Handle, device: string): Io<TransactionalDevice> {
  if (isReadOnly(handle, device)) throw new Posix('EPERM', { path: device });
  return yield* handle.device(device);
}

/**
 * As {@link writableDevice}, for all of a device: throws EBUSY when it is mounted or swapped to, or, for a drive, one of its partitions is.
 */
export function* idleDevice(handle: Handle, device: string): Io<TransactionalDevice> {
  const found = yield* writableDevice(handle, device);
  requireIdle(handle, device);
  return found;
}

const PIECE = 1 << 20;

/** The parts of `[start, end)` of a device that are not known to be zeros without reading. */
export function* storedParts(
  device: BlockDevice,
  start: number,
  end: number,
  visit: (offset: number, length: number) => Io<boolean>,
): Io<void> {
  for (let at = start; at < end; ) {
    const extent = yield* device.map(at, end - at);
    const next = Math.min(end, at + Math.max(1, extent.length));
    for (let part = at; !extent.zero && part < next; part += PIECE) if (!(yield* visit(part, Math.min(PIECE, next - part)))) return;
    at = next;
  }
}

/** Whether all bytes of a device are zeros. */
export function* isZeroDevice(device: BlockDevice): Io<boolean> {
  let zero = true;
  yield* storedParts(device, 0, device.size, function* (offset, length) {
    zero = isZero(yield* device.read(offset, length));
    return zero;
  });
  return zero;
}

/** Makes a range of a device zeros; what is zeros already is not written. */
export function* zeroRange(handle: Handle, device: WritableDevice, start: number, end: number): Io<void> {
  yield* storedParts(device, start, end, function* (offset, length) {
    if (!isZero(yield* device.read(offset, length))) yield* device.writeZeroes(offset, length);
    yield* handle.progress(offset + length - start, end - start);
    return true;
  });
}

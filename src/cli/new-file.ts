/** Files of the host that appear whole or not at all. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeName } from '../bytes/text.ts';
import type { NewFile } from '../commands/host.ts';
import { Posix } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import { FileSource, hostPath, posixError } from '../platform/node/file.ts';
import { DescriptorSource } from './descriptor.ts';
import { removeOnSignal } from './interrupt.ts';

/** Begins a new file under a temporary name beside its own; a device or pipe of that name is opened as it is. */
export function createNewFile(name: string): NewFile {
  const existing = fs.statSync(hostPath(name), { throwIfNoEntry: false });
  if (existing?.isDirectory() === true) throw new Posix('EISDIR', { image: name });
  if (existing !== undefined && !existing.isFile()) return existingDevice(name);
  // A symbolic link stays: what it leads to is replaced.
  const real = existing === undefined ? name : decodeName(fs.realpathSync.native(hostPath(name), 'buffer'));
  const temporary = path.join(path.dirname(real), `.${path.basename(real)}.guestless-${process.pid}`);
  try {
    fs.closeSync(fs.openSync(hostPath(temporary), 'wx', existing?.mode ?? 0o666));
  } catch (error) {
    throw posixError(error, name);
  }
  const forget = removeOnSignal(temporary);
  const target = FileSource.open(temporary, { writable: true, name });
  let open = true;
  function finish(): void {
    open = false;
    target.close();
    try {
      fs.renameSync(hostPath(temporary), hostPath(real));
    } catch (error) {
      fs.rmSync(hostPath(temporary), { force: true });
      throw posixError(error, name);
    } finally {
      forget();
    }
  }
  function abandon(): void {
    if (!open) return;
    open = false;
    target.close();
    fs.rmSync(hostPath(temporary), { force: true });
    forget();
  }
  return { target, abandon, finish: (): Io<void> => perform({ sync: finish, async: async () => finish() }) };
}

function existingDevice(name: string): NewFile {
  let descriptor: number;
  try {
    descriptor = fs.openSync(hostPath(name), 'w');
  } catch (error) {
    throw posixError(error, name);
  }
  const target = new DescriptorSource(name, descriptor);
  const close = (): void => target.close();
  return { target, abandon: close, finish: (): Io<void> => perform({ sync: close, async: async () => close() }) };
}

/** Verbs about swap areas. Nothing is ever swapped to: that an area is in use is remembered, and that it is one is checked. */
import { type Bytes, decodeName, encodeName, uuidBytes, uuidText } from '../../bytes/index.ts';
import { GuestlessError, Posix } from '../../errors.ts';
import { decodeSwapHeader, encodeSwapHeader, type MakeSwapOptions, makeSwap } from '../../filesystem/index.ts';
import type { Io } from '../../io/effect.ts';
import { openSource, type Source } from './contents.ts';
import { idleDevice, SWAPS } from './device-access.ts';
import type { Handle } from './handle.ts';
import type { Verbs } from './verb.ts';

const PAGE = 4096;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A random UUID, version 4 (RFC 4122). */
function randomUuid(handle: Handle): Bytes {
  const bytes = handle.host.random(16).slice(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes;
}

function swapOptions(handle: Handle, label: string | undefined, uuid: string | undefined): MakeSwapOptions {
  // What mkswap takes in the place of a UUID.
  const special =
    uuid === 'clear' ? new Uint8Array(16) : uuid === undefined || uuid === 'random' || uuid === 'time' ? randomUuid(handle) : undefined;
  if (special === undefined && !UUID.test(uuid ?? '')) throw new Posix('EINVAL', {}, `'${uuid}' is no UUID`);
  const options = { uuid: special ?? uuidBytes(uuid ?? '') };
  return label === undefined || label === '' ? options : { ...options, label: encodeName(label) };
}

function* makeOnDevice(handle: Handle, device: string, label?: string, uuid?: string): Io<void> {
  const options = swapOptions(handle, label, uuid);
  yield* makeSwap(yield* idleDevice(handle, device), options);
  handle.forget(device);
}

/** Takes a swap area into use. Throws EINVAL for what is none, EBUSY for one that is in use. */
function* swapOn(handle: Handle, name: string, source: Source): Io<void> {
  const page = new Uint8Array(PAGE);
  if (source.size >= PAGE) yield* source.readInto(0, page);
  if (decodeSwapHeader(page) === undefined) throw new Posix('EINVAL', { path: name }, 'this is no swap area; mkswap makes one');
  const used = handle.state(SWAPS);
  if (used.has(name) || handle.mounts.some((mount) => mount.device === name)) throw new Posix('EBUSY', { path: name });
  used.add(name);
}

function swapOff(handle: Handle, name: string): void {
  if (!handle.state(SWAPS).delete(name)) throw new Posix('EINVAL', { path: name }, 'this is not swapped to');
}

/** The device whose swap area has a label or UUID. Throws ENOENT. */
function* findSwap(handle: Handle, what: 'label' | 'uuid', wanted: string): Io<string> {
  for (const { name } of yield* handle.disk.devices()) {
    const source = yield* openSource(handle, name);
    if (source.size < PAGE) continue;
    const page = new Uint8Array(PAGE);
    try {
      yield* source.readInto(0, page);
    } catch (error) {
      if (error instanceof GuestlessError) continue;
      throw error;
    }
    const area = decodeSwapHeader(page);
    if (area === undefined) continue;
    const has = what === 'label' ? decodeName(area.label) : area.uuid === undefined ? undefined : uuidText(area.uuid);
    if (has === (what === 'label' ? wanted : wanted.toLowerCase())) return name;
  }
  throw new Posix('ENOENT', {}, `there is no swap area with the ${what} '${wanted}'`);
}

function* swapOnDevice(handle: Handle, device: string): Io<void> {
  yield* swapOn(handle, device, yield* openSource(handle, device));
}

export const swapVerbs: Verbs = {
  mkswap: {
    summary: 'makes a device a swap area',
    *run(handle, { device, label, uuid }) {
      yield* makeOnDevice(handle, device, label, uuid);
    },
  },
  mkswap_L: {
    summary: 'makes a device a swap area with a label',
    *run(handle, { label, device }) {
      yield* makeOnDevice(handle, device, label);
    },
  },
  mkswap_U: {
    summary: 'makes a device a swap area with a UUID',
    *run(handle, { uuid, device }) {
      yield* makeOnDevice(handle, device, undefined, uuid);
    },
  },
  mkswap_file: {
    summary: 'makes a file a swap area; its length stays',
    *run(handle, { path }) {
      const { size } = yield* handle.tree.file(path);
      yield* handle.tree.write(path, 0, encodeSwapHeader(size, swapOptions(handle, undefined, undefined)));
    },
  },
  swapon_device: {
    summary: 'takes the swap area of a device into use, which has no effect but is remembered',
    *run(handle, { device }) {
      yield* swapOnDevice(handle, device);
    },
  },
  swapoff_device: {
    summary: 'gives up the swap area of a device',
    *run(handle, { device }) {
      swapOff(handle, device);
    },
  },
  swapon_file: {
    summary: 'takes the swap area of a file into use, which has no effect but is remembered',
    *run(handle, { file }) {
      const path = decodeName(yield* handle.tree.realpath(file));
      yield* swapOn(handle, path, yield* openSource(handle, path));
    },
  },
  swapoff_file: {
    summary: 'gives up the swap area of a file',
    *run(handle, { file }) {
      swapOff(handle, decodeName(yield* handle.tree.realpath(file)));
    },
  },
  swapon_label: {
    summary: 'takes the swap area with a label into use, which has no effect but is remembered',
    *run(handle, { label }) {
      yield* swapOnDevice(handle, yield* findSwap(handle, 'label', label));
    },
  },
  swapoff_label: {
    summary: 'gives up the swap area with a label',
    *run(handle, { label }) {
      swapOff(handle, yield* findSwap(handle, 'label', label));
    },
  },
  swapon_uuid: {
    summary: 'takes the swap area with a UUID into use, which has no effect but is remembered',
    *run(handle, { uuid }) {
      yield* swapOnDevice(handle, yield* findSwap(handle, 'uuid', uuid));
    },
  },
  swapoff_uuid: {
    summary: 'gives up the swap area with a UUID',
    *run(handle, { uuid }) {
      swapOff(handle, yield* findSwap(handle, 'uuid', uuid));
    },
  },
};

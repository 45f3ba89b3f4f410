/** Verbs about whole drives and their bytes. */
import { Posix } from '../../errors.ts';
import { wipeSignatures } from '../../filesystem/index.ts';
import type { Io } from '../../io/effect.ts';
import { diskName, parseDeviceName } from '../../partition/index.ts';
import { copyRange, type RangeOptions } from './contents.ts';
import { idleDevice, isReadOnly, isZeroDevice, requireIdle, setReadOnly, storedParts, writableDevice, zeroRange } from './device-access.ts';
import type { Handle } from './handle.ts';
import type { Verbs } from './verb.ts';

/** What `zero` overwrites: enough for partition tables and superblocks. */
const ZEROED = 32 * 4096;
/** Bytes of content in one message of the API, which has 4 MiB with all that is around it. */
const LARGEST_READ = 4 * 1024 * 1024 - 1024;
const SCRUB_PIECE = 1 << 20;

function requireNotNegative(values: Readonly<Record<string, number>>): void {
  for (const [what, value] of Object.entries(values)) if (value < 0) throw new Posix('EINVAL', {}, `${what} is negative`);
}

/** The partitions that the kernel would have device nodes for. */
function* partitionNames(handle: Handle): Io<string[]> {
  const devices = yield* handle.disk.devices();
  return devices.filter((device) => device.kind === 'partition').map((device) => device.name);
}

function requirePartition(name: string): { readonly disk: string; readonly number: number } {
  const parsed = parseDeviceName(name);
  if (parsed?.number === undefined) throw new Posix('EINVAL', { path: name }, 'this is a whole device, not a partition');
  return { disk: parsed.disk, number: parsed.number };
}

function* copyToDevice(handle: Handle, src: string, dest: string, range: RangeOptions): Io<void> {
  if (range.append === true) throw new Posix('EINVAL', {}, 'what is copied to a device cannot be appended');
  yield* writableDevice(handle, dest);
  requireIdle(handle, dest);
  yield* copyRange(handle, src, dest, range);
  handle.forget(dest);
}

/** Bytes per sector of the drive that a device lies on. */
function sectorSizeOf(handle: Handle, device: string): number {
  return handle.driveOf(device).blockSize ?? 512;
}

/** Cylinders, heads and sectors that Linux makes up for SCSI disks (drivers/scsi/scsicam.c). */
function geometry(device: string, size: number): string {
  const capacity = Math.floor(size / 512);
  const heads = Math.max(1, Math.ceil(capacity / (1024 * 62)));
  const perTrack = Math.max(1, Math.ceil(capacity / (1024 * heads)));
  const known = heads <= 255 && perTrack <= 63;
  const [h, s] = known ? [heads, perTrack] : [255, 63];
  return `${device}: ${Math.floor(capacity / (h * s))} cylinders, ${h} heads, ${s} sectors/track\n`;
}

export const deviceVerbs: Verbs = {
  list_devices: {
    summary: 'lists the drives',
    *run({ drives }) {
      return drives.map((drive) => drive.name);
    },
  },
  list_partitions: {
    summary: 'lists the partitions of all drives',
    *run(handle) {
      return yield* partitionNames(handle);
    },
  },
  list_disk_labels: {
    summary: 'lists the labels under which drives were added, and the devices that they name',
    *run(handle) {
      const labels: [string, string][] = [];
      const partitions = yield* partitionNames(handle);
      for (const { label, name } of handle.drives) {
        if (label === undefined || label === '') continue;
        labels.push([label, name]);
        for (const partition of partitions) {
          const { disk, number } = requirePartition(partition);
          if (disk === name) labels.push([`${label}${number}`, partition]);
        }
      }
      return labels;
    },
  },
  nr_devices: {
    summary: 'counts the drives',
    *run({ drives }) {
      return drives.length;
    },
  },
  device_index: {
    summary: 'gives the number of a drive, from 0',
    *run(_, { device }) {
      const parsed = parseDeviceName(device);
      if (parsed === undefined || parsed.number !== undefined) throw new Posix('EINVAL', { path: device }, 'this is no drive');
      return parsed.index;
    },
  },
  canonical_device_name: {
    summary: 'gives the name of a device as it is shown to people',
    *run(_, { device }) {
      const parsed = /^\/dev\/[hv]d/.test(device) ? parseDeviceName(device) : undefined;
      return parsed === undefined ? device : `${diskName(parsed.index)}${parsed.number ?? ''}`;
    },
  },
  is_whole_device: {
    summary: 'tells whether a device is a drive and not a partition',
    *run(_, { device }) {
      return parseDeviceName(device)?.number === undefined;
    },
  },
  part_to_dev: {
    summary: 'gives the drive of a partition',
    *run(_, { partition }) {
      return requirePartition(partition).disk;
    },
  },
  part_to_partnum: {
    summary: 'gives the number of a partition',
    *run(_, { partition }) {
      return requirePartition(partition).number;
    },
  },
  blockdev_getsize64: {
    summary: 'gives the size of a device in bytes',
    *run(handle, { device }) {
      return (yield* handle.disk.device(device)).size;
    },
  },
  blockdev_getsz: {
    summary: 'gives the size of a device in units of 512 bytes',
    *run(handle, { device }) {
      return Math.floor((yield* handle.disk.device(device)).size / 512);
    },
  },
  blockdev_getss: {
    summary: 'gives the bytes of a sector of a device',
    *run(handle, { device }) {
      return sectorSizeOf(handle, device);
    },
  },
  blockdev_getbsz: {
    summary: 'gives the block size of a device, which means nothing',
    *run(handle, { device }) {
      // The largest power of two up to a page that divides the size, as the kernel sets it.
      const { size } = yield* handle.disk.device(device);
      let block = sectorSizeOf(handle, device);
      while (block < 4096 && size % (2 * block) === 0) block *= 2;
      return block;
    },
  },
  blockdev_setbsz: {
    summary: 'does nothing',
    *run() {},
  },
  blockdev_setra: {
    summary: 'sets how far is read ahead, which means nothing here',
    *run(_, { sectors }) {
      requireNotNegative({ sectors });
    },
  },
  blockdev_getro: {
    summary: 'tells whether a device was set read-only',
    *run(handle, { device }) {
      return isReadOnly(handle, device);
    },
  },
  blockdev_setro: {
    summary: 'lets a device only be read',
    *run(handle, { device }) {
      setReadOnly(handle, device, true);
    },
  },
  blockdev_setrw: {
    summary: 'lets a device be written again',
    *run(handle, { device }) {
      setReadOnly(handle, device, false);
    },
  },
  blockdev_flushbufs: {
    summary: 'writes out what is kept in memory of a device',
    *run(handle, { device }) {
      yield* handle.tree.flush();
      yield* (yield* handle.device(device)).flush();
    },
  },
  blockdev_rereadpt: {
    summary: 'reads the partition table of a drive again',
    *run(handle, { device }) {
      if (parseDeviceName(device)?.number !== undefined) throw new Posix('EINVAL', { path: device }, 'this is no drive');
      requireIdle(handle, device);
      handle.forget(device);
    },
  },
  pread_device: {
    summary: 'reads a part of a device',
    *run(handle, { device, count, offset }) {
      requireNotNegative({ count, offset });
      if (count > LARGEST_READ)
        throw new Posix('EINVAL', { path: device }, `${count} bytes are too many for one message; read less at once`);
      const bytes = yield* handle.disk.device(device);
      return (yield* bytes.read(Math.min(offset, bytes.size), Math.max(0, Math.min(count, bytes.size - offset)))).slice();
    },
  },
  pwrite_device: {
    summary: 'writes a part of a device',
    *run(handle, { device, content, offset }) {
      requireNotNegative({ offset });
      const target = yield* writableDevice(handle, device);
      if (content.length === 0) return 0;
      if (offset >= target.size) throw new Posix('ENOSPC', { path: device });
      const part = content.subarray(0, Math.min(content.length, target.size - offset));
      yield* target.write(offset, part);
      handle.forget(device);
      return part.length;
    },
  },
  is_zero_device: {
    summary: 'tells whether a device holds nothing but zeros',
    *run(handle, { device }) {
      return yield* isZeroDevice(yield* handle.disk.device(device));
    },
  },
  zero: {
    summary: 'overwrites the beginning of a device with zeros',
    *run(handle, { device }) {
      const target = yield* idleDevice(handle, device);
      yield* zeroRange(handle, target, 0, Math.min(ZEROED, target.size));
      handle.forget(device);
    },
  },
  zero_device: {
    summary: 'overwrites a device with zeros',
    *run(handle, { device }) {
      const target = yield* idleDevice(handle, device);
      yield* zeroRange(handle, target, 0, target.size);
      handle.forget(device);
    },
  },
  blkdiscard: {
    summary: 'gives up what a device holds',
    *run(handle, { device }) {
      const target = yield* idleDevice(handle, device);
      yield* target.discard(0, target.size);
      handle.forget(device);
    },
  },
  blkdiscardzeroes: {
    summary: 'tells whether what was given up reads as zeros',
    *run() {
      return true;
    },
  },
  wipefs: {
    summary: 'erases the signatures of file systems and partition tables on a device, and nothing else',
    *run(handle, { device }) {
      const target = yield* idleDevice(handle, device);
      yield* wipeSignatures(target);
      handle.forget(device);
    },
  },
  sfdisk_kernel_geometry: {
    summary: 'gives the geometry of a drive as the kernel makes it up',
    *run(handle, { device }) {
      return geometry(device, (yield* handle.disk.device(device)).size);
    },
  },
  sfdisk_disk_geometry: {
    summary: 'gives the geometry of a drive',
    *run(handle, { device }) {
      return geometry(device, (yield* handle.disk.device(device)).size);
    },
  },
  copy_device_to_device: {
    summary: 'copies bytes from one device to another',
    *run(handle, { src, dest, ...range }) {
      yield* copyToDevice(handle, src, dest, range);
    },
  },
  copy_device_to_file: {
    summary: 'copies bytes from a device to a file',
    *run(handle, { src, dest, ...range }) {
      yield* copyRange(handle, src, dest, range);
    },
  },
  copy_file_to_device: {
    summary: 'copies bytes from a file to a device',
    *run(handle, { src, dest, ...range }) {
      yield* copyToDevice(handle, src, dest, range);
    },
  },
  scrub_device: {
    summary: 'overwrites a device with random bytes, which also makes what was there unreadable',
    *run(handle, { device }) {
      const target = yield* idleDevice(handle, device);
      yield* storedParts(target, 0, target.size, function* (offset, length) {
        yield* target.write(offset, handle.host.random(length));
        yield* handle.progress(offset + length, target.size);
        return true;
      });
      handle.forget(device);
    },
  },
  scrub_file: {
    summary: 'overwrites a file with random bytes, and removes it',
    *run(handle, { file }) {
      const { tree } = handle;
      const path = yield* tree.realpath(file);
      const { size } = yield* tree.file(path);
      for (let at = 0; at < size; at += SCRUB_PIECE) yield* tree.write(path, at, handle.host.random(Math.min(SCRUB_PIECE, size - at)));
      yield* tree.flush();
      yield* tree.rm(path);
    },
  },
  scrub_freespace: {
    summary: 'fills the free space of a file system with random bytes in files of a new directory, and removes them',
    *run(handle, { dir }) {
      const { tree } = handle;
      yield* tree.mkdir(dir, { mode: 0o700 });
      const name = `${dir}/scrub`;
      try {
        yield* tree.writeFile(name, new Uint8Array(0), { mode: 0o600 });
        for (let at = 0, piece = SCRUB_PIECE; piece >= 4096; ) {
          try {
            yield* tree.write(name, at, handle.host.random(piece));
            at += piece;
          } catch (error) {
            if (!(error instanceof Posix) || (error.code !== 'ENOSPC' && error.code !== 'EFBIG')) throw error;
            piece = error.code === 'EFBIG' ? 0 : piece / 2;
          }
        }
        yield* tree.flush();
      } finally {
        yield* tree.rm(dir, { recursive: true });
      }
    },
  },
};

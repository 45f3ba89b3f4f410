/** Guests made of a few files, as libguestfs's phony guests are: in memory, each on a device that is recognised as ext2. */
import { encodeName } from '../../src/bytes/index.ts';
import type { FileSystem, NodeId } from '../../src/filesystem/index.ts';
import { Disk, type Registry } from '../../src/guest/index.ts';
import { type BlockDevice, MemorySource, runSync, SourceDevice } from '../../src/io/index.ts';
import { MemoryFileSystem } from '../../src/testing/index.ts';

/** From path to contents; a path that ends in a slash is a directory, a value of `-> TARGET` a symbolic link. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

export function phonySystem(files: Files): MemoryFileSystem {
  const system = new MemoryFileSystem({ type: 'ext2' });
  for (const [path, content] of Object.entries(files)) {
    const names = path.split('/').filter((name) => name !== '');
    let here: NodeId = system.root;
    const folders = path.endsWith('/') ? names : names.slice(0, -1);
    for (const name of folders) {
      here = runSync(system.lookup(here, encodeName(name))) ?? runSync(system.mkdir(here, encodeName(name), { mode: 0o755 }));
    }
    if (path.endsWith('/')) continue;
    const last = encodeName(names.at(-1) ?? '');
    if (typeof content === 'string' && content.startsWith('-> ')) runSync(system.symlink(here, last, encodeName(content.slice(3))));
    else {
      const node = runSync(system.create(here, last, { mode: 0o644 }));
      runSync(system.write(node, 0, typeof content === 'string' ? encodeName(content) : content));
    }
  }
  return system;
}

/** 64 KiB with as much of an ext2 superblock as it takes to be recognised. */
function ext2Lookalike(): BlockDevice {
  const bytes = new Uint8Array(65_536);
  const view = new DataView(bytes.buffer);
  view.setUint32(1024, 16, true); // s_inodes_count
  view.setUint32(1028, 64, true); // s_blocks_count
  view.setUint16(1024 + 0x38, 0xef53, true); // s_magic
  view.setUint32(1024 + 0x4c, 1, true); // s_rev_level
  return new SourceDevice(new MemorySource(bytes));
}

/** A disk with one drive for each file system: /dev/sda, /dev/sdb, ... An error stands for a file system that cannot be mounted. */
export function phonyDisk(...systems: readonly (FileSystem | Error)[]): Disk {
  const devices = systems.map(ext2Lookalike);
  const registry: Registry = new Map([
    [
      'ext2',
      // biome-ignore lint/correctness/useYield: everything is in memory
      function* (device: BlockDevice) {
        const system = systems[devices.indexOf(device)];
        if (system === undefined || system instanceof Error) throw system ?? new Error('no such drive');
        return system;
      },
    ],
  ]);
  return new Disk(devices, { registry });
}

/** The first bytes of an ELF program. */
export function elf(machine: number, bits: 32 | 64 = 64, little = true): Uint8Array {
  const header = new Uint8Array(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, little ? 1 : 2, 1]);
  new DataView(header.buffer).setUint16(18, machine, little);
  return header;
}

/** Probes for the file systems of other Unix systems and of Apple. */
import { viewOf } from '../bytes/struct.ts';
import { latin1 } from '../bytes/text.ts';
import type { Io } from '../io/effect.ts';
import { type Found, found, type Probe, paddedLabel, type Region, utf16Label, type Window } from './signature-window.ts';
import { uuidAt } from './signatures-linux.ts';

const UFS_PLACES = [0, 8192, 65_536] as const;

function lookUfs({ head }: Window): Found | undefined {
  for (const at of UFS_PLACES) {
    for (const little of [true, false]) {
      const magic = head.u32(at + 1372, little);
      if (magic !== 0x1954_0119 && magic !== 0x0001_1954) continue;
      const version = magic === 0x1954_0119 ? '2' : '1';
      const id = [head.u32(at + 144, little), head.u32(at + 148, little)];
      const uuid = id.every((word) => word === 0) ? undefined : id.map((word) => word.toString(16).padStart(8, '0')).join('');
      return found({ version, uuid, label: version === '2' ? paddedLabel(head.slice(at + 680, 32)) : undefined });
    }
  }
  return undefined;
}

/** Where the HFS+ volume begins: at 0, or inside of an old HFS wrapper. */
function hfsPlusStart(head: Region): number | undefined {
  if (head.is(1024, 'H+') || head.is(1024, 'HX')) return 0;
  if (!head.is(1024, 'BD') || !(head.is(1148, 'H+') || head.is(1148, 'HX'))) return undefined;
  return head.u16(1052, false) * 512 + head.u16(1150, false) * head.u32(1044, false);
}

/** The label is the name of the root folder: the first record of the catalog's first leaf (Apple TN1150). */
function* moreHfsPlus(window: Window, start: Found): Io<Found> {
  const base = hfsPlusStart(window.head) ?? 0;
  const header = yield* window.fetch(base + 1024, 512);
  const at = base + 1024;
  const blockSize = header.u32(at + 40, false);
  if (blockSize < 512 || blockSize > 1 << 20) return start;
  const catalog = base + header.u32(at + 288, false) * blockSize;
  const tree = yield* window.fetch(catalog, 512);
  const nodeSize = tree.u16(catalog + 14 + 18, false);
  const leaf = catalog + tree.u32(catalog + 14 + 10, false) * nodeSize;
  if (nodeSize < 512) return start;
  const node = yield* window.fetch(leaf, 1024);
  if (node.u32(leaf + 16, false) !== 1) return start;
  const label = utf16Label(node.slice(leaf + 22, 2 * Math.min(255, node.u16(leaf + 20, false))), false);
  return found({ ...start, label });
}

function lookHfs({ head }: Window): Found | undefined {
  if (!head.is(1024, 'BD') || hfsPlusStart(head) !== undefined) return undefined;
  return found({ label: head.slice(1061, Math.min(27, head.u8(1060))).slice() });
}

function lookApfs({ head }: Window): Found | undefined {
  return head.is(32, 'NXSB') && head.u32(36) === 4096 ? found({ uuid: uuidAt(head, 72) }) : undefined;
}

function lookBefs({ head }: Window): Found | undefined {
  for (const at of [0, 512]) {
    for (const little of [true, false]) {
      if (
        head.u32(at + 32, little) !== 0x4246_5331 ||
        head.u32(at + 36, little) !== 0x4249_4745 ||
        head.u32(at + 68, little) !== 0xdd12_1031
      )
        continue;
      return found({ version: little ? 'little-endian' : 'big-endian', label: paddedLabel(head.slice(at, 32)) });
    }
  }
  return undefined;
}

const UBERBLOCK = 0x00ba_b10cn;

/** A name-value list packed in XDR begins the label's data at 16 KiB (ZFS On-Disk Specification, 1.3). */
function lookZfs({ head }: Window): Found | undefined {
  return head.u8(16_384) === 1 && head.u8(16_385) <= 1 && head.u32(16_388, false) === 0 ? {} : undefined;
}

function* moreZfs(window: Window, start: Found): Io<Found> {
  const uberblocks = yield* window.fetch(131_072, 131_072);
  let version: string | undefined;
  for (let at = 131_072; at < 262_144 && version === undefined; at += 1024) {
    const little = uberblocks.u64(at) === UBERBLOCK;
    if (little || uberblocks.u64(at, false) === UBERBLOCK) version = uberblocks.u64(at + 8, little).toString();
  }
  if (version === undefined) return { type: '' };
  const values = zfsNames((yield* window.fetch(16_384, 57_344)).bytes);
  return found({ ...start, ...values, version });
}

/** The pool's name and guid among the pairs of the outermost list. */
function zfsNames(bytes: Uint8Array): { label?: Uint8Array; uuid?: string } {
  const view = viewOf(bytes);
  const result: { label?: Uint8Array; uuid?: string } = {};
  for (let at = 12; at + 16 < bytes.length; ) {
    const size = view.getUint32(at, false);
    if (size < 16 || size % 4 !== 0 || at + size > bytes.length) break;
    const nameLength = view.getUint32(at + 8, false);
    const typeAt = at + 12 + Math.ceil(nameLength / 4) * 4;
    if (nameLength > 64 || typeAt + 16 > at + size) {
      at += size;
      continue;
    }
    const name = latin1(bytes.subarray(at + 12, at + 12 + nameLength));
    const type = view.getUint32(typeAt, false);
    if (name === 'name' && type === 9) {
      const length = Math.min(view.getUint32(typeAt + 8, false), at + size - typeAt - 12, 256);
      result.label = bytes.slice(typeAt + 12, typeAt + 12 + length);
    }
    if (name === 'pool_guid' && type === 8) result.uuid = view.getBigUint64(typeAt + 8, false).toString();
    at += size;
  }
  return result;
}

export const ZFS: Probe = { type: 'zfs_member', usage: 'filesystem', look: lookZfs, more: moreZfs };

export const UNIX: readonly Probe[] = [
  {
    type: 'hfsplus',
    usage: 'filesystem',
    tolerant: true,
    look: ({ head }) => (hfsPlusStart(head) === undefined ? undefined : {}),
    more: moreHfsPlus,
  },
  { type: 'hfs', usage: 'filesystem', tolerant: true, look: lookHfs },
  { type: 'ufs', usage: 'filesystem', look: lookUfs },
];

const vmfsUuid = (region: Region, at: number): string => {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const node = Array.from(region.slice(at + 10, 6), (byte) => hex(byte, 2)).join('');
  return `${hex(region.u32(at), 8)}-${hex(region.u32(at + 4), 8)}-${hex(region.u16(at + 8), 4)}-${node}`;
};

const MIB = 1 << 20;

/** VMware's headers stand 1 and 2 MiB in, beyond what is read beforehand: asked for when nothing else was found. */
export function* lookVmfs(window: Window): Io<(Found & { readonly type: string; readonly usage: 'filesystem' | 'raid' }) | undefined> {
  if (window.size < 2 * MIB) return undefined;
  const volume = yield* window.fetch(MIB, 1024);
  if (volume.is(MIB, '\x0d\xd0\x01\xc0')) {
    return { type: 'VMFS_volume_member', usage: 'raid', uuid: vmfsUuid(volume, MIB + 596), version: String(volume.u8(MIB + 4)) };
  }
  const at = 2 * MIB;
  const header = yield* window.fetch(at, 1024);
  if (!header.is(at, '\x5e\xf1\xab\x2f')) return undefined;
  const label = paddedLabel(header.slice(at + 29, 128));
  return { type: 'VMFS', usage: 'filesystem', label, uuid: vmfsUuid(header, at + 9), version: String(header.u8(at + 8)) };
}

export const LATE_UNIX: readonly Probe[] = [
  { type: 'bfs', usage: 'filesystem', look: ({ head }) => (head.u32(0) === 0x1bad_face ? {} : undefined) },
  { type: 'befs', usage: 'filesystem', look: lookBefs },
  { type: 'apfs', usage: 'filesystem', look: lookApfs },
];

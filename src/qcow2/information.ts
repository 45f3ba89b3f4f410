/** What `qemu-img info --output=json` says about a qcow2 file, under its own names. */
import type { LuksHeader } from './luks.ts';
import type { Metadata } from './metadata.ts';
import type { Snapshot } from './snapshots.ts';

/** One entry of `snapshots`. */
export interface SnapshotInformation {
  readonly id: string;
  readonly name: string;
  readonly 'vm-state-size': number;
  readonly 'date-sec': number;
  readonly 'date-nsec': number;
  readonly 'vm-clock-sec': number;
  readonly 'vm-clock-nsec': number;
  readonly icount?: number;
}

/** `format-specific.data`. */
export interface Qcow2Information {
  readonly compat: '0.10' | '1.1';
  readonly 'compression-type': 'zlib' | 'zstd';
  readonly 'refcount-bits': number;
  readonly 'lazy-refcounts'?: boolean;
  readonly corrupt?: boolean;
  readonly 'extended-l2'?: boolean;
  readonly 'data-file'?: string;
  readonly 'data-file-raw'?: boolean;
  readonly bitmaps?: readonly { readonly name: string; readonly granularity: number; readonly flags: readonly ('in-use' | 'auto')[] }[];
  readonly encrypt?: { readonly format: 'aes' } | LuksInformation;
}

interface LuksInformation {
  readonly format: 'luks';
  readonly 'ivgen-alg': string;
  readonly 'hash-alg': string;
  readonly 'cipher-alg': string;
  readonly 'cipher-mode': string;
  readonly uuid: string;
  readonly slots: readonly {
    readonly active: boolean;
    readonly 'key-offset': number;
    readonly iters?: number;
    readonly stripes?: number;
  }[];
  readonly 'payload-offset': number;
  readonly 'master-key-iters': number;
}

const NANOSECONDS = 1_000_000_000n;

/** A snapshot as `qemu-img info` lists it. */
export function snapshotInformation(snapshot: Snapshot): SnapshotInformation {
  return {
    id: snapshot.id,
    name: snapshot.name,
    'vm-state-size': snapshot.vmStateSize,
    'date-sec': snapshot.dateSeconds,
    'date-nsec': snapshot.dateNanoseconds,
    'vm-clock-sec': Number(snapshot.vmClockNanoseconds / NANOSECONDS),
    'vm-clock-nsec': Number(snapshot.vmClockNanoseconds % NANOSECONDS),
    ...(snapshot.icount === undefined ? {} : { icount: Number(snapshot.icount) }),
  };
}

/** The format-specific part. */
export function qcow2Information(metadata: Metadata): Qcow2Information {
  const { header, bitmaps, luks } = metadata;
  const common = { 'compression-type': header.compression, 'refcount-bits': 2 ** header.refcountOrder } as const;
  const encrypt = header.encryption === 'aes' ? ({ format: 'aes' } as const) : luks === undefined ? undefined : luksInformation(luks);
  const secret = encrypt === undefined ? {} : { encrypt };
  if (header.version === 2) return { compat: '0.10', ...common, ...secret };
  return {
    compat: '1.1',
    ...common,
    'lazy-refcounts': header.lazyRefcounts,
    corrupt: header.corrupt,
    'extended-l2': header.extendedL2,
    ...(header.dataFile === undefined
      ? {}
      : { ...(header.dataFile.name === undefined ? {} : { 'data-file': header.dataFile.name }), 'data-file-raw': header.dataFile.raw }),
    ...(bitmaps.length === 0
      ? {}
      : {
          bitmaps: bitmaps.map(({ name, granularity, inUse, auto }) => ({
            name,
            granularity,
            flags: [...(inUse ? (['in-use'] as const) : []), ...(auto ? (['auto'] as const) : [])],
          })),
        }),
    ...secret,
  };
}

/** LUKS1 names a cipher as `aes` and a mode as `xts-plain64`; QEMU adds the key's length and takes the mode apart. */
function luksInformation(luks: LuksHeader): LuksInformation {
  const [mode = '', generator = ''] = luks.cipherMode.split('-');
  const bits = (luks.keyBytes * 8) / (mode === 'xts' ? 2 : 1);
  return {
    format: 'luks',
    'ivgen-alg': generator.split(':')[0] ?? generator,
    'hash-alg': luks.hash,
    'cipher-alg': `${luks.cipherName}-${bits}`,
    'cipher-mode': mode,
    uuid: luks.uuid,
    slots: luks.slots.map((slot) =>
      slot.active
        ? { active: true, iters: slot.iterations, 'key-offset': slot.keyOffset, stripes: slot.stripes }
        : { active: false, 'key-offset': slot.keyOffset },
    ),
    'payload-offset': luks.payloadOffset,
    'master-key-iters': luks.masterKeyIterations,
  };
}

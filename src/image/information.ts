/** What `qemu-img info` and `qemu-img map` say about an image, under their own names. */
import { Corrupt } from '../errors.ts';
import type { Extent } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import type { ByteSource } from '../io/source.ts';
import { type Qcow2Information, qcow2Information, type SnapshotInformation, snapshotInformation } from '../qcow2/information.ts';
import type { Layer } from '../qcow2/location.ts';
import { type Metadata, readMetadata } from '../qcow2/metadata.ts';
import { folderOf, protocolOf } from './names.ts';
import { probe } from './probe.ts';

/** `qemu-img info --output=json` of one file (QEMU 7.2). */
export interface ImageInformation {
  readonly 'virtual-size': number;
  readonly filename: string;
  readonly format: string;
  readonly 'actual-size'?: number;
  readonly 'cluster-size'?: number;
  readonly 'dirty-flag': boolean;
  readonly encrypted?: boolean;
  readonly 'backing-filename'?: string;
  readonly 'full-backing-filename'?: string;
  readonly 'backing-filename-format'?: string;
  readonly snapshots?: readonly SnapshotInformation[];
  readonly 'format-specific'?: { readonly type: 'qcow2'; readonly data: Qcow2Information };
}

/**
 * Describes one file without opening any other. `format` as for `openImage`. For qcow2 the checked header and all that belongs to it
 * come along; `metadata.header.backing` names the next file of the chain.
 */
export function* describeImage(
  source: ByteSource,
  options: { readonly format?: string } = {},
): Io<{ readonly information: ImageInformation; readonly metadata?: Metadata }> {
  const probed = options.format === undefined ? (yield* probe(source)).kind : options.format;
  const size = source.allocated === undefined ? {} : { 'actual-size': source.allocated };
  if (probed !== 'qcow2') {
    const format = probed === 'unsupported' || probed === 'compressed' ? yield* nameOf(source) : probed;
    return {
      information: { 'virtual-size': Math.ceil(source.size / 512) * 512, filename: source.name, format, ...size, 'dirty-flag': false },
    };
  }
  const metadata = yield* readMetadata(source);
  const { header, snapshots } = metadata;
  const backing = header.backing;
  return {
    metadata,
    information: {
      'virtual-size': header.size,
      filename: source.name,
      format: 'qcow2',
      ...size,
      'cluster-size': header.clusterSize,
      'dirty-flag': header.dirty,
      ...(header.encryption === 'none' ? {} : { encrypted: true }),
      ...(backing === undefined ? {} : { 'backing-filename': backing.name, 'full-backing-filename': fullName(backing.name, source.name) }),
      ...(backing?.format === undefined ? {} : { 'backing-filename-format': backing.format }),
      ...(snapshots.length === 0 ? {} : { snapshots: snapshots.map(snapshotInformation) }),
      'format-specific': { type: 'qcow2', data: qcow2Information(metadata) },
    },
  };
}

function* nameOf(source: ByteSource): Io<string> {
  const probed = yield* probe(source);
  return probed.kind === 'unsupported' ? probed.format : probed.kind === 'compressed' ? probed.compression : probed.kind;
}

/** A backing file's name as QEMU would open it. */
function fullName(name: string, imageName: string): string {
  return name.startsWith('/') || protocolOf(name) !== undefined ? name : folderOf(imageName) + name;
}

/**
 * Calls `visit` for every extent of `[offset, offset + length)`, neighbours of one kind joined as `qemu-img map` joins them.
 * `start` is in bytes. Reads tables, no data.
 */
export function* eachExtent(device: Layer, offset: number, length: number, visit: (start: number, extent: Extent) => void): Io<void> {
  let start = offset;
  let pending: Extent | undefined;
  for (let at = offset; at < offset + length; ) {
    const extent = yield* device.map(at, offset + length - at);
    if (extent.length <= 0) throw new Corrupt('an empty extent');
    if (pending !== undefined && continues(pending, extent)) pending = { ...pending, length: pending.length + extent.length };
    else {
      if (pending !== undefined) visit(start, pending);
      start = at;
      pending = extent;
    }
    at += extent.length;
  }
  if (pending !== undefined) visit(start, pending);
}

function continues(before: Extent, next: Extent): boolean {
  return (
    before.depth === next.depth &&
    before.present === next.present &&
    before.zero === next.zero &&
    before.data === next.data &&
    before.compressed === next.compressed &&
    (before.offset === undefined ? next.offset === undefined : before.offset + before.length === next.offset)
  );
}

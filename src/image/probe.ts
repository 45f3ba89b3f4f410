/** What kind of file is this? Told by magic numbers alone, as QEMU's probes do (block/*.c). */
import type { Bytes } from '../bytes/struct.ts';
import { latin1 } from '../bytes/text.ts';
import type { StreamFormat } from '../codec/codecs.ts';
import { identifyStream } from '../codec/stream-magic.ts';
import type { Io } from '../io/effect.ts';
import { type ByteSource, readPadded } from '../io/source.ts';

/** The outcome of probing: a format that can be opened, or the name of one that cannot. */
export type Probed =
  | { readonly kind: 'raw' | 'qcow2' }
  | { readonly kind: 'compressed'; readonly compression: StreamFormat }
  | { readonly kind: 'unsupported'; readonly format: string };

interface Signature {
  readonly format: string;
  readonly at: number;
  readonly magic: string;
}

/** Formats that are recognised but not read, by their names in QEMU where it knows them. */
const UNSUPPORTED: readonly Signature[] = [
  { format: 'vmdk', at: 0, magic: 'KDMV' },
  { format: 'vmdk', at: 0, magic: 'COWD' },
  { format: 'vmdk', at: 0, magic: '# Disk DescriptorFile' },
  { format: 'vpc', at: 0, magic: 'conectix' },
  { format: 'vhdx', at: 0, magic: 'vhdxfile' },
  { format: 'vdi', at: 64, magic: '\x7f\x10\xda\xbe' },
  { format: 'qed', at: 0, magic: 'QED\0' },
  { format: 'parallels', at: 0, magic: 'WithoutFreeSpace' },
  { format: 'parallels', at: 0, magic: 'WithouFreSpacExt' },
  { format: 'bochs', at: 0, magic: 'Bochs Virtual HD Image' },
  { format: 'luks', at: 0, magic: 'LUKS\xba\xbe' },
  { format: 'cloop', at: 0, magic: '#!/bin/sh\n#V2.0 Format\nmodprobe cloop' },
  { format: 'zip', at: 0, magic: 'PK\x03\x04' },
  { format: 'bzip2', at: 0, magic: 'BZh' },
  { format: '7z', at: 0, magic: '7z\xbc\xaf\x27\x1c' },
  { format: 'ova', at: 257, magic: 'ustar' },
];

const QCOW2_MAGIC = 'QFI\xfb';
const TRAILER = 512;

/** Names the format of a source by its first bytes, and its last sector for the trailers of dmg and fixed vpc images. */
export function* probe(source: ByteSource): Io<Probed> {
  const head = new Uint8Array(Math.min(1024, source.size));
  yield* readPadded(source, 0, head);
  const known = probeHead(head);
  if (known.kind !== 'raw' || source.size < TRAILER) return known;
  const tail = new Uint8Array(TRAILER);
  yield* readPadded(source, source.size - TRAILER, tail);
  if (latin1(tail.subarray(0, 4)) === 'koly') return { kind: 'unsupported', format: 'dmg' };
  // A fixed VHD is a raw disk with a footer; its first bytes are the guest's, so only both signs together count.
  if (latin1(tail.subarray(0, 8)) === 'conectix') return { kind: 'unsupported', format: 'vpc' };
  return known;
}

/** The part of {@link probe} that needs only the first 1024 bytes. */
export function probeHead(head: Bytes): Probed {
  const text = latin1(head);
  if (text.startsWith(QCOW2_MAGIC) && head.length >= 8) {
    const version = new DataView(head.buffer, head.byteOffset, head.byteLength).getUint32(4);
    return version === 1 ? { kind: 'unsupported', format: 'qcow' } : { kind: 'qcow2' };
  }
  for (const { format, at, magic } of UNSUPPORTED) if (text.startsWith(magic, at)) return { kind: 'unsupported', format };
  const compression = identifyStream(head);
  return compression === undefined ? { kind: 'raw' } : { kind: 'compressed', compression };
}

/** Random histories of qcow2 images for fast-check: what was written, zeroed and discarded, in clusters of which size. */
import type fc from 'fast-check';
import type { Bytes } from '../bytes/index.ts';
import type { FastCheck } from './operation-arbitraries.ts';

/** A change of a disk; offset and length in bytes, multiples of 512. A discard covers whole clusters: of others qemu keeps the rest. */
export interface LayoutStep {
  readonly verb: 'write' | 'zero' | 'discard';
  readonly offset: number;
  readonly length: number;
  /** The byte that a write repeats; never 0. */
  readonly fill: number;
}

export interface Qcow2Layout {
  /** Bytes of the virtual disk. */
  readonly size: number;
  /** Bytes of a cluster: 512 to 2 MiB. */
  readonly clusterSize: number;
  readonly extendedL2: boolean;
  readonly steps: readonly LayoutStep[];
}

export interface Qcow2LayoutOptions {
  /** Largest virtual disk in bytes; default 8 MiB. */
  readonly maximumSize?: number;
  readonly maximumSteps?: number;
  /** Also layouts with subclusters, which need clusters of 16 KiB and more. Default true. */
  readonly extendedL2?: boolean;
}

const SECTOR = 512;

/** Histories that begin and end at, before and behind the borders of clusters. */
export function qcow2Layouts(check: FastCheck, options: Qcow2LayoutOptions = {}): fc.Arbitrary<Qcow2Layout> {
  const maximumSize = options.maximumSize ?? 8 << 20;
  const geometry = check.record({
    clusterBits: check.oneof(check.constantFrom(9, 12, 16), check.integer({ min: 9, max: 21 })),
    sectors: check.integer({ min: 1, max: maximumSize / SECTOR }),
    extended: check.boolean(),
  });
  return geometry.chain(({ clusterBits, sectors, extended }) => {
    const clusterSize = 2 ** clusterBits;
    const size = sectors * SECTOR;
    const border = check.tuple(check.nat(Math.ceil(size / clusterSize)), check.integer({ min: -2, max: 2 })).map(([cluster, shift]) => {
      return cluster * clusterSize + shift * SECTOR;
    });
    const anywhere = check.nat(sectors).map((sector) => sector * SECTOR);
    const place = check.oneof(border, anywhere).map((at) => Math.max(0, Math.min(size, at)));
    const step = check
      .record({
        verb: check.constantFrom('write', 'write', 'zero', 'discard'),
        a: place,
        b: place,
        fill: check.integer({ min: 1, max: 255 }),
      })
      .map(({ verb, a, b, fill }): LayoutStep => {
        const offset = Math.min(a, b, size - SECTOR);
        return { verb, offset, length: Math.max(SECTOR, Math.abs(a - b) - (Math.abs(a - b) % SECTOR)), fill };
      })
      .map((one) => {
        const grain = one.verb === 'discard' ? clusterSize : SECTOR;
        const offset = one.offset - (one.offset % grain);
        const end = Math.min(size, Math.ceil((one.offset + one.length) / grain) * grain);
        return { ...one, offset, length: end - offset };
      });
    return check.array(step, { maxLength: options.maximumSteps ?? 12 }).map((steps) => ({
      size,
      clusterSize,
      extendedL2: (options.extendedL2 ?? true) && extended && clusterSize >= 16_384,
      steps,
    }));
  });
}

/** What the disk holds after the steps. A discarded range reads as zeros here; qemu promises so for images without a backing file. */
export function layoutContents({ size, steps }: Qcow2Layout): Bytes {
  const bytes = new Uint8Array(size);
  for (const { verb, offset, length, fill } of steps) bytes.fill(verb === 'write' ? fill : 0, offset, offset + length);
  return bytes;
}

/** The parameters of `qemu-img create` and the commands of `qemu-io` that make the image. */
export function qemuCommands({ size, clusterSize, extendedL2, steps }: Qcow2Layout): { readonly create: string[]; readonly io: string[] } {
  const io = steps.map(({ verb, offset, length, fill }) => {
    if (verb === 'write') return `write -q -P ${fill} ${offset} ${length}`;
    return `${verb === 'zero' ? 'write -q -z' : 'discard -q'} ${offset} ${length}`;
  });
  return { create: ['-f', 'qcow2', '-o', `cluster_size=${clusterSize},extended_l2=${extendedL2 ? 'on' : 'off'}`, String(size)], io };
}

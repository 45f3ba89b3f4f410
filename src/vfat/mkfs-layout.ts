/** The sizes of a new FAT file system, as mkfs.fat (dosfstools 4.2) chooses them: kind, clusters, FATs, root directory, geometry. */
import { Posix } from '../errors.ts';
import type { FatBits } from './bpb.ts';
import { ENTRY_SIZE, FIRST_CLUSTER } from './format.ts';

export interface FatLayout {
  readonly bits: FatBits;
  readonly sectorSize: number;
  /** Sectors of the whole file system. */
  readonly sectors: number;
  readonly clusterSectors: number;
  /** Sectors in front of the first FAT. */
  readonly reserved: number;
  readonly fats: number;
  readonly fatSectors: number;
  /** Sectors of the root directory; 0 on FAT32. */
  readonly rootSectors: number;
  readonly clusters: number;
  readonly media: number;
  /** The BIOS's number of the drive: 0x80 for disks, 0 for floppies. */
  readonly drive: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
}

export interface FatWishes {
  readonly clusterSize?: number;
  readonly bits?: FatBits;
  readonly sectorSize?: number;
}

interface Geometry {
  readonly heads: number;
  readonly sectorsPerTrack: number;
  readonly media: number;
  readonly drive: number;
  readonly clusterSectors: number;
  readonly rootEntries: number;
}

const KIB = 1024;
const MIB = 1 << 20;
const GIB = 1 << 30;
const FATS = 2;
const SECTOR_SIZES = [512, 1024, 2048, 4096];
const MAX_CLUSTER_SECTORS = 128;
/** The fewest and most clusters of each kind (fatgen103; what all drivers agree on). */
const LIMITS: Readonly<Record<FatBits, readonly [number, number]>> = { 12: [1, 4084], 16: [4085, 65_524], 32: [65_525, 268_435_446] };
/** From this size on FAT32 is taken. */
const FAT32_FROM = 512 * MIB;
/** In bytes. */
const SMALLEST = 64 * KIB;
/** Up to this many sectors, structures do not begin at cluster boundaries. */
const ALIGNED_ABOVE = 8192;
const MAX_SECTORS = 0xffff_ffff;

/** Floppies by their size in KiB: heads, sectors per track, media byte, sectors per cluster, root entries. */
const FLOPPIES: ReadonlyMap<number, readonly [number, number, number, number, number]> = new Map([
  [360, [2, 9, 0xfd, 2, 112]],
  [720, [2, 9, 0xf9, 2, 112]],
  [1200, [2, 15, 0xf9, 1, 224]],
  [1440, [2, 18, 0xf0, 1, 224]],
  [2880, [2, 36, 0xf0, 2, 224]],
]);

/** Plans a file system for a device of `size` bytes. Throws Posix EINVAL, or ENOSPC where it is too small. */
export function planFat(size: number, wishes: FatWishes = {}): FatLayout {
  const { sectorSize = 512, clusterSize } = wishes;
  if (!SECTOR_SIZES.includes(sectorSize))
    throw invalid(`sectors of ${sectorSize} bytes are not possible; they have ${SECTOR_SIZES.join(', ')}`);
  const wanted = clusterSize === undefined ? undefined : clusterSize / sectorSize;
  if (wanted !== undefined && !(isPowerOfTwo(wanted) && wanted <= MAX_CLUSTER_SECTORS))
    throw invalid(
      `clusters of ${clusterSize} bytes are not possible with sectors of ${sectorSize}; they have a power of two of them, up to 128`,
    );
  const available = Math.floor(size / sectorSize);
  if (available > MAX_SECTORS) throw invalid(`${available} sectors are more than a FAT file system can have; use larger sectors`);
  if (size < SMALLEST)
    throw new Posix('ENOSPC', { layer: 'vfat' }, `${size} bytes are too few for a FAT file system; it takes ${SMALLEST}`);
  const geometry = geometryFor(size, available);
  const bits = wishes.bits ?? (size >= FAT32_FROM ? 32 : undefined);
  // DOS and mtools want whole tracks.
  const sectors = Math.floor(available / geometry.sectorsPerTrack) * geometry.sectorsPerTrack;
  const align = sectors > ALIGNED_ABOVE;
  const first = wanted ?? (bits === 32 ? clusterSectors32(sectors) : geometry.clusterSectors);
  for (let clusterSectors = first; clusterSectors <= MAX_CLUSTER_SECTORS; clusterSectors *= 2) {
    const fit = fitClusters({
      sectors,
      sectorSize,
      clusterSectors,
      align,
      bits,
      rootEntries: geometry.rootEntries,
      insisted: wishes.bits !== undefined,
    });
    if (fit !== undefined) return { ...fit, sectorSize, sectors, clusterSectors, fats: FATS, ...geometryOf(geometry) };
    if (wanted !== undefined) break;
  }
  const what = bits === undefined ? 'a FAT file system' : `a FAT${bits} file system`;
  const how = wanted === undefined ? '' : ` with clusters of ${clusterSize} bytes`;
  throw invalid(`${what}${how} cannot have ${size} bytes; try another kind or other clusters`);
}

function geometryOf({ heads, sectorsPerTrack, media, drive }: Geometry): Pick<FatLayout, 'heads' | 'sectorsPerTrack' | 'media' | 'drive'> {
  return { heads, sectorsPerTrack, media, drive };
}

interface Fit {
  readonly sectors: number;
  readonly sectorSize: number;
  readonly clusterSectors: number;
  readonly align: boolean;
  readonly bits: FatBits | undefined;
  /** The kind was asked for. */
  readonly insisted: boolean;
  readonly rootEntries: number;
}

/** FAT32 when it is asked for, else FAT16 or FAT12, whichever gives more clusters; undefined where none has as many as it may. */
function fitClusters(fit: Fit): Pick<FatLayout, 'bits' | 'reserved' | 'fatSectors' | 'rootSectors' | 'clusters'> | undefined {
  const kinds: readonly FatBits[] = fit.bits === undefined ? [12, 16] : [fit.bits];
  let best: ReturnType<typeof fitClusters>;
  for (const bits of kinds) {
    const found = fitKind(fit, bits);
    if (found !== undefined && (best === undefined || found.clusters > best.clusters)) best = found;
  }
  return best;
}

function fitKind(fit: Fit, bits: FatBits): ReturnType<typeof fitClusters> {
  const { sectors, sectorSize, clusterSectors, align } = fit;
  const unit = align ? clusterSectors : 1;
  const reserved = roundUp(bits === 32 ? 32 : 1, unit);
  const rootSectors = bits === 32 ? 0 : roundUp(Math.ceil((fit.rootEntries * ENTRY_SIZE) / sectorSize), unit);
  const space = sectors - reserved - rootSectors;
  if (space <= 0) return undefined;
  // As if all clusters had their entry in the FATs and the FATs took no more: the FATs come out a little too long, never too short.
  const entryBits = bits * FATS;
  const estimate = Math.floor((space * sectorSize * 8) / (clusterSectors * sectorSize * 8 + entryBits));
  const fatSectors = roundUp(Math.ceil(((estimate + FIRST_CLUSTER) * bits) / 8 / sectorSize), unit);
  const room = Math.floor((fatSectors * sectorSize * 8) / bits) - FIRST_CLUSTER;
  const [fewest, most] = LIMITS[bits];
  let clusters = Math.floor((space - FATS * fatSectors) / clusterSectors);
  if (clusters > room) clusters = room;
  if (clusters > most || clusters < (bits === 32 && fit.insisted ? 1 : fewest)) return undefined;
  return { bits, reserved, fatSectors, rootSectors, clusters };
}

/** What Microsoft's format takes for FAT32 (fatgen103): the table counts in sectors of 512 bytes; mkfs.fat reads it so for all. */
function clusterSectors32(sectors: number): number {
  if (sectors >= (32 * GIB) / 512) return 64;
  if (sectors >= (16 * GIB) / 512) return 32;
  if (sectors >= (8 * GIB) / 512) return 16;
  return sectors >= (260 * MIB) / 512 ? 8 : 1;
}

/** Heads and sectors per track mean little today; these are those of the LBA-assisted translation of BIOSes. */
function geometryFor(size: number, sectors: number): Geometry {
  const floppy = size % KIB === 0 ? FLOPPIES.get(size / KIB) : undefined;
  if (floppy !== undefined) {
    const [heads, sectorsPerTrack, media, clusterSectors, rootEntries] = floppy;
    return { heads, sectorsPerTrack, media, clusterSectors, rootEntries, drive: 0 };
  }
  const [heads, sectorsPerTrack] = translation(sectors);
  return { heads, sectorsPerTrack, media: 0xf8, drive: 0x80, clusterSectors: 4, rootEntries: 512 };
}

function translation(sectors: number): readonly [heads: number, sectorsPerTrack: number] {
  if (sectors <= 4096) return [2, 16];
  if (sectors <= 32_768) return [2, 32];
  if (sectors <= 65_536) return [4, 32];
  if (sectors <= 262_144) return [8, 32];
  if (sectors <= 524_288) return [16, 32];
  if (sectors <= 1_032_192) return [16, 63];
  if (sectors <= 2_064_384) return [32, 63];
  if (sectors <= 4_128_768) return [64, 63];
  if (sectors <= 8_257_536) return [128, 63];
  return [255, 63];
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && Number.isInteger(Math.log2(value));
}

function invalid(message: string): Posix {
  return new Posix('EINVAL', { layer: 'vfat' }, message);
}

/** The icon of a distribution: a PNG file that it installs, under the names at which libguestfs looks. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { sameBytes } from '../../bytes/text.ts';
import type { Io } from '../../io/effect.ts';
import type { GuestTree } from '../tree.ts';
import { Probe } from './probe.ts';

export interface IconOptions {
  /** Look for /etc/favicon.png first. Default true. */
  readonly favicon?: boolean | undefined;
  /** Only good ones: no favicon. Default false. */
  readonly highQuality?: boolean | undefined;
}

interface Candidate {
  readonly path: string;
  /** Longest file in bytes; by default four for each pixel. */
  readonly limit?: number;
}

const FAVICON: Candidate = { path: '/etc/favicon.png' };
const RED_HATS: ReadonlySet<string> = new Set(['rhel', 'redhat-based', 'centos', 'rocky', 'scientificlinux', 'oraclelinux']);

function candidates(distribution: string, major: number, highQuality: boolean): readonly Candidate[] {
  if (RED_HATS.has(distribution)) {
    const name = major < 7 ? 'redhat/shadowman-transparent.png' : 'fedora-logo-sprite.png';
    return [{ path: `/usr/share/pixmaps/${name}`, limit: 102_400 }];
  }
  switch (distribution) {
    case 'fedora':
      return [{ path: '/usr/share/icons/hicolor/96x96/apps/fedora-logo-icon.png' }];
    case 'debian':
      return [{ path: '/usr/share/pixmaps/debian-logo.png', limit: 2048 }];
    case 'ubuntu':
      if (highQuality) return [];
      return [
        { path: '/usr/share/icons/gnome/24x24/places/ubuntu-logo.png', limit: 2048 },
        { path: '/usr/share/help/C/ubuntu-help/figures/ubuntu-logo.png', limit: 2048 },
      ];
    case 'mageia':
      return [{ path: '/usr/share/icons/mageia.png', limit: 2048 }];
    case 'opensuse':
    case 'sles':
    case 'suse-based':
      return [{ path: '/usr/share/icons/hicolor/24x24/apps/distributor.png', limit: 2048 }];
    case 'voidlinux':
      return [{ path: '/usr/share/void-artwork/void-logo.png', limit: 20_480 }];
    case 'altlinux':
      return [{ path: '/usr/share/icons/hicolor/48x48/apps/altlinux.png', limit: 20_480 }];
    default:
      return [];
  }
}

/** The icon of a mounted system; empty when there is none that is reasonable. */
export function* readIcon(
  tree: GuestTree,
  system: { readonly type: string; readonly distribution: string; readonly major: number },
  options: IconOptions = {},
): Io<Bytes> {
  const { favicon = true, highQuality = false } = options;
  const places = system.type === 'linux' || system.type === 'hurd' ? candidates(system.distribution, system.major, highQuality) : [];
  const probe = new Probe(tree);
  for (const { path, limit } of favicon && !highQuality ? [FAVICON, ...places] : places) {
    const icon = yield* probe.attempt(path, () => readPng(tree, path, limit));
    if (icon !== undefined) return icon;
  }
  return new Uint8Array(0);
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Signature, and the header chunk's length, type, width and height (PNG specification, 11.2.1). */
const HEAD = 24;
const WIDTH = 16;
const HEIGHT = 20;

function* readPng(tree: GuestTree, path: string, limit: number | undefined): Io<Bytes | undefined> {
  const { stat } = yield* tree.resolve(path);
  if (stat.kind !== 'file' || stat.size < HEAD) return undefined;
  const head = new Uint8Array(HEAD);
  yield* tree.readInto(path, 0, head);
  if (!sameBytes(head.subarray(0, SIGNATURE.length), SIGNATURE)) return undefined;
  const view = viewOf(head);
  const [width, height] = [view.getUint32(WIDTH), view.getUint32(HEIGHT)];
  if (width < 16 || height < 16 || width > 1024 || height > 1024) return undefined;
  if (stat.size > (limit ?? 4 * width * height)) return undefined;
  return yield* tree.readFile(path);
}

/**
 * For which processor a program, library, kernel or initrd is made, in the names that libguestfs documents for `file_architecture`:
 * uname's, of the most general of a family (`i386`, `arm`).
 */
import type { Bytes } from '../bytes/struct.ts';
import { decodeName } from '../bytes/text.ts';
import type { StreamDecoder, StreamFormat } from '../codec/codecs.ts';
import { decodedPieces, preceded } from '../codec/decoded.ts';
import { Posix } from '../errors.ts';
import { kindOfMode } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import type { Pull } from '../io/pieces.ts';
import { CpioReader } from './cpio.ts';
import { elfHeader } from './elf-format.ts';
import { ELF_MACHINES } from './elf-names.ts';
import { packedKind } from './packed.ts';
import { portableExecutable } from './programs.ts';
import { Head, type MagicSource, piecesOf } from './source.ts';

export type Architecture = string;

/** Bytes of a program that are looked at. */
const HEAD = 65_536;
/** Bytes of an initrd that are gone through, and its members, before it is given up. */
const MAX_INITRD: number = 2 ** 30;
const MAX_MEMBERS = 100_000;
/** Files in files. */
const MAX_NESTING = 4;

/** Machines without a name of their own there go by the name that file(1) has for them. */
const ELF_ARCHITECTURES: Readonly<Record<number, string>> = {
  3: 'i386',
  6: 'i386',
  18: 'sparc',
  2: 'sparc',
  20: 'ppc',
  22: 's390x',
  40: 'arm',
  43: 'sparc64',
  50: 'ia64',
  62: 'x86_64',
  183: 'aarch64',
};
const PE_MACHINES: Readonly<Record<number, string>> = {
  332: 'i386',
  34404: 'x86_64',
  448: 'arm',
  452: 'arm',
  43620: 'aarch64',
  512: 'ia64',
};

/** Programs in an initrd that are looked at first by those who made it. */
const INITRD_PROGRAMS =
  /^(?:\.\/)?(?:usr\/)?(?:bin|sbin)\/(?:ls|rm|modprobe|sh|bash|dash|nash|busybox|mount|udevadm|init)$|^(?:\.\/)?init$|^(?:\.\/)?(?:usr\/)?lib\/systemd\/systemd$/;

/** The architecture of a program or of what is inside a compressed one. Throws Posix EINVAL for what has none. */
export function* fileArchitecture(source: MagicSource, stream: (format: StreamFormat) => StreamDecoder): Io<Architecture> {
  const found = yield* architectureOf(piecesOf(source), stream, 0);
  if (found === undefined) throw new Posix('EINVAL', {}, 'unknown architecture: neither a program nor a library, kernel or initrd');
  return found;
}

function* architectureOf(next: Pull, stream: (format: StreamFormat) => StreamDecoder, nesting: number): Io<Architecture | undefined> {
  const first = yield* gather(next, HEAD);
  const head = new Head(first, first.length);
  const direct = architectureOfHead(head);
  if (direct !== undefined) return direct;
  const packed = packedKind(head);
  const rest = preceded(first, next);
  if (packed?.format !== undefined && nesting < MAX_NESTING)
    return yield* architectureOf(decodedPieces(rest, stream(packed.format), { breaksOff: true }), stream, nesting + 1);
  return /^07070[127]/.test(head.text(0, 6)) ? yield* architectureOfInitrd(rest, stream, nesting) : undefined;
}

function* gather(next: Pull, wanted: number): Io<Bytes> {
  const gathered = new Uint8Array(2 * wanted);
  let length = 0;
  while (length < wanted) {
    const piece = yield* next();
    if (piece === undefined) break;
    if (length + piece.length > gathered.length) {
      const all = new Uint8Array(length + piece.length);
      all.set(gathered.subarray(0, length));
      all.set(piece, length);
      return all;
    }
    gathered.set(piece, length);
    length += piece.length;
  }
  return gathered.subarray(0, length);
}

function architectureOfHead(head: Head): Architecture | undefined {
  const elf = elfHeader(head);
  if (elf !== undefined) {
    const { machine, little, wide } = elf;
    if (machine === 21) return little ? 'ppc64le' : 'ppc64';
    if (machine === 243) return wide ? 'riscv64' : 'riscv32';
    if (machine === 258) return wide ? 'loongarch64' : 'loongarch32';
    if (machine === 22 && !wide) return 's390';
    return ELF_ARCHITECTURES[machine] ?? ELF_MACHINES[machine];
  }
  const pe = portableExecutable(head);
  if (pe !== undefined && !head.is(514, 'HdrS')) return PE_MACHINES[pe.machine];
  // Kernels for x86 do not say for which of both they are made, but in their flags since version 2.12 of the boot protocol.
  if (head.is(514, 'HdrS')) return head.u16(518) >= 0x20c && (head.u16(566) & 1) !== 0 ? 'x86_64' : 'i386';
  return head.is(56, 'ARMd') ? 'aarch64' : undefined;
}

function* architectureOfInitrd(next: Pull, stream: (format: StreamFormat) => StreamDecoder, nesting: number): Io<Architecture | undefined> {
  let consumed = 0;
  const counted: Pull = function* () {
    const piece = yield* next();
    if (piece === undefined || consumed > MAX_INITRD) return undefined;
    consumed += piece.length;
    return piece;
  };
  const reader = new CpioReader(counted);
  for (let count = 0; count < MAX_MEMBERS; count++) {
    const member = yield* reader.next();
    if (member === undefined) break;
    if (kindOfMode(member.mode) !== 'file' || !INITRD_PROGRAMS.test(decodeName(member.name))) continue;
    const found = architectureOfHead(new Head(yield* gather(() => reader.data(), HEAD), member.size));
    if (found !== undefined) return found;
  }
  const rest = reader.rest();
  // Microcode comes first, uncompressed; the rest of the initrd follows, compressed.
  if (rest.length === 0) return undefined;
  return yield* architectureOf(preceded(rest, counted), stream, nesting + 1);
}

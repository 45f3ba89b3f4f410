/** The drives of the shell: files, addresses, zeros in memory, members of archives. */
import type { Bytes } from '../../bytes/struct.ts';
import type { DriveOptions } from '../../commands/verbs/handle.ts';
import { Unsupported } from '../../errors.ts';
import { denyGate } from '../../image/gate.ts';
import { openImage } from '../../image/open.ts';
import { type BlockDevice, checkRange, type Extent, readNew } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import type { ByteSource } from '../../io/source.ts';
import { allowedByEnvironment, openDrive as openFile } from '../../library/drive.ts';
import { nodeCodecs } from '../../platform/node/codecs.ts';
import { FileSource } from '../../platform/node/file.ts';
import type { DriveRequest } from '../../shell/host.ts';

/** What libguestfs makes of /dev/null as a drive. */
const NULL_DRIVE = 4096;

/** Zeros, which an overlay is laid over. */
class Zeros implements BlockDevice {
  readonly size: number;
  readonly preferredRequest: number = 65_536;

  constructor(size: number) {
    this.size = size;
  }

  read(offset: number, length: number): Io<Bytes> {
    return readNew(this, offset, length);
  }

  // biome-ignore lint/correctness/useYield: there is nothing to wait for
  *readInto(offset: number, target: Bytes): Io<void> {
    checkRange(this, offset, target.length);
    target.fill(0);
  }

  // biome-ignore lint/correctness/useYield: there is nothing to wait for
  *map(offset: number, length: number): Io<Extent> {
    checkRange(this, offset, length);
    return { length, depth: 0, present: false, zero: true, data: false };
  }
}

/** A part of a file as a source of its own. */
function partOf(file: FileSource, { name, offset, size }: NonNullable<DriveRequest['part']>): ByteSource {
  return {
    name: `${file.name}: ${name}`,
    size,
    preferredRequest: file.preferredRequest,
    identity: `${file.identity}:${offset}`,
    readSync: (at, target) => {
      const length = Math.max(0, Math.min(target.length, size - at));
      return length === 0 ? 0 : file.readSync(offset + at, target.subarray(0, length));
    },
    close: () => file.close(),
  };
}

/** Opens a drive. Throws Posix, Refused, Unsupported, Corrupt. */
export function* openDrive(request: DriveRequest, allow: readonly string[]): Io<DriveOptions> {
  const { name, readOnly, format, label, blockSize, scratch, protocol, part } = request;
  const common = {
    readOnly,
    ...(label === undefined ? {} : { label }),
    ...(blockSize === undefined ? {} : { blockSize }),
  };
  if (scratch !== undefined) return { image: new Zeros(scratch), ...common, readOnly: true };
  if (name === '/dev/null') return { image: new Zeros(NULL_DRIVE), ...common, readOnly: true };
  const formatOption = format === undefined ? {} : { format };
  if (part !== undefined) {
    const source = partOf(FileSource.open(name), part);
    return { image: yield* openImage(source, { codecs: nodeCodecs, gate: denyGate, ...formatOption }), ...common };
  }
  const file = protocol === undefined ? plainFile(name) : addressOf(request, protocol);
  return yield* openFile({ file, ...common, ...formatOption, allow: [...allowedByEnvironment(), ...allow] });
}

/** A file whose name looks like an address is meant as a file. */
function plainFile(name: string): string {
  return name.startsWith('/') ? name : `./${name}`;
}

/** The address of a drive on a server, as it is written with -a, or with `add` and its server. */
function addressOf({ name, server = [] }: DriveRequest, protocol: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) return protocol === 'nbd' ? nbdAddress(name) : name;
  if (protocol !== 'http' && protocol !== 'https' && protocol !== 'nbd')
    throw new Unsupported(protocol, `drives by ${protocol} cannot be opened`);
  const [first = ''] = server;
  const host = first.replace(/^tcp:/, '');
  if (protocol !== 'nbd') return `${protocol}://${host}/${name.replace(/^\/+/, '')}`;
  const place = first.startsWith('unix:') ? first : host.includes(':') ? host : `${host}:10809`;
  return `nbd:${place}${name === '' ? '' : `:exportname=${name}`}`;
}

/** `nbd://host[:port][/export]` and `nbd://[/export]?socket=/path`, in qemu's older form. */
function nbdAddress(text: string): string {
  const parts = /^nbd(?:\+unix)?:\/\/([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/i.exec(text);
  const [, host = '', name = '', query = ''] = parts ?? [];
  const socket = new URLSearchParams(query).get('socket');
  const place = socket !== null ? `unix:${socket}` : host.includes(':') ? host : `${host}:10809`;
  return `nbd:${place}${name === '' ? '' : `:exportname=${decodeURIComponent(name)}`}`;
}

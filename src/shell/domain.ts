/** Drives from the description of a machine: a libvirt domain definition, or an OVA file with the OVF description in it. */
import { decodeName, isZero, latin1 } from '../bytes/index.ts';
import { Posix, Refused, Unsupported } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { type ByteSource, readExactly } from '../io/source.ts';
import type { DriveRequest } from './host.ts';
import type { Session } from './session.ts';
import type { Element } from './xml.ts';

/** A definition longer than this is not read. */
const DEFINITION_LIMIT = 16 << 20;
/** Members of an OVA file that are looked at. */
const MEMBER_LIMIT = 1000;
const BLOCK = 512;

export interface DomainOptions {
  readonly readOnly: boolean;
}

/** Adds the disks that a file describes, in its order; how many they are. */
export function* addDomain(session: Session, name: string, options: DomainOptions): Io<number> {
  const drives = yield* domainDrives(session, name, options);
  if (drives.length === 0) throw new Posix('ENOENT', { image: name }, 'it describes no disk that could be added');
  for (const drive of drives) yield* session.addDrive(drive);
  return drives.length;
}

function* domainDrives(session: Session, name: string, options: DomainOptions): Io<DriveRequest[]> {
  const { files } = session.host;
  const source = yield* files.openFile(name);
  const start = new Uint8Array(Math.min(BLOCK, source.size));
  yield* readExactly(source, 0, start);
  if (start.length === BLOCK && latin1(start.subarray(257, 262)) === 'ustar') return yield* ovaDrives(session, source, options);
  if (source.size > DEFINITION_LIMIT) throw new Refused(`more than ${DEFINITION_LIMIT} bytes are no domain definition`, { image: name });
  const bytes = new Uint8Array(source.size);
  yield* readExactly(source, 0, bytes);
  const document = yield* session.host.parseXml(decodeName(bytes), name);
  return libvirtDrives(document, name, options);
}

/** The disks of `<domain>`: files and block devices by name, NBD and HTTP by address. Those without a source, empty CD drives, are left out. */
function libvirtDrives(document: Element, name: string, { readOnly }: DomainOptions): DriveRequest[] {
  const domain = document.children.find((one) => one.name === 'domain') ?? first(document, 'domain');
  if (domain === undefined) throw new Posix('EINVAL', { image: name }, 'there is no <domain> in it');
  const drives: DriveRequest[] = [];
  for (const devices of domain.children.filter((one) => one.name === 'devices')) {
    for (const disk of devices.children.filter((one) => one.name === 'disk')) {
      const source = first(disk, 'source');
      if (source === undefined) continue;
      const format = first(disk, 'driver')?.attributes.get('type');
      const common = { readOnly: readOnly || first(disk, 'readonly') !== undefined, ...(format === undefined ? {} : { format }) };
      const file = source.attributes.get('file') ?? source.attributes.get('dev');
      if (file !== undefined) drives.push({ name: file, ...common });
      else drives.push(networkDrive(source, name, common));
    }
  }
  return drives;
}

function networkDrive(source: Element, domain: string, common: Pick<DriveRequest, 'readOnly' | 'format'>): DriveRequest {
  const protocol = source.attributes.get('protocol');
  if (protocol === undefined) {
    const kind = source.attributes.get('volume') === undefined ? 'a source of an unknown kind' : 'a volume of a storage pool';
    throw new Unsupported('libvirt sources', `a disk has ${kind}; name the file itself`, { image: domain });
  }
  const server = source.children
    .filter((one) => one.name === 'host')
    .map(({ attributes }) => {
      const socket = attributes.get('socket');
      const port = attributes.get('port');
      return socket === undefined ? `tcp:${attributes.get('name') ?? ''}${port === undefined ? '' : `:${port}`}` : `unix:${socket}`;
    });
  return { name: source.attributes.get('name') ?? '', protocol, server, ...common };
}

function first(element: Element, name: string): Element | undefined {
  return element.children.find((one) => one.name === name);
}

interface Member {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** The disks of an OVA file: a tar archive (DSP0243, section 5) with the description as its first `.ovf` file. */
function* ovaDrives(session: Session, source: ByteSource, { readOnly }: DomainOptions): Io<DriveRequest[]> {
  const where = { image: source.name };
  if (!readOnly) throw new Refused('disks within an OVA file can only be looked at: say --ro', where);
  const members = yield* listMembers(source);
  const description = members.find((one) => /\.ovf$/i.test(one.name));
  if (description === undefined) throw new Posix('EINVAL', where, 'there is no .ovf file in the archive');
  if (description.size > DEFINITION_LIMIT) throw new Refused(`its description has more than ${DEFINITION_LIMIT} bytes`, where);
  const bytes = new Uint8Array(description.size);
  yield* readExactly(source, description.offset, bytes);
  const document = yield* session.host.parseXml(decodeName(bytes), `${source.name}: ${description.name}`);
  return ovfFiles(document).map((file) => {
    const member = members.find((one) => one.name === file || one.name === `./${file}`);
    if (member === undefined) throw new Posix('ENOENT', where, `its description names ${file}, which is not in the archive`);
    return { name: source.name, readOnly: true, part: { name: member.name, offset: member.offset, size: member.size } };
  });
}

/** The files of the disks that an OVF document (DSP0243, sections 7.1 and 9.1) describes, in the order of its disk section. */
function ovfFiles(document: Element): string[] {
  const envelope = first(document, 'Envelope');
  const references = envelope === undefined ? undefined : first(envelope, 'References');
  const disks = envelope === undefined ? undefined : (first(envelope, 'DiskSection') ?? first(envelope, 'Section'));
  const files = new Map((references?.children ?? []).map((file) => [file.attributes.get('id'), file.attributes.get('href')]));
  const found: string[] = [];
  for (const disk of disks?.children ?? []) {
    const reference = disk.name === 'Disk' ? disk.attributes.get('fileRef') : undefined;
    const file = reference === undefined ? undefined : files.get(reference);
    if (file !== undefined) found.push(file);
  }
  return found;
}

/** The regular files of a plain ustar archive, which is what OVF asks for. */
function* listMembers(source: ByteSource): Io<Member[]> {
  const members: Member[] = [];
  const header = new Uint8Array(BLOCK);
  for (let at = 0; at + BLOCK <= source.size && members.length < MEMBER_LIMIT; ) {
    yield* readExactly(source, at, header);
    if (isZero(header)) break;
    const text = (start: number, length: number): string => latin1(header.subarray(start, start + length)).replace(/\0.*$/s, '');
    const size = tarSize(header);
    if (size === undefined || at + BLOCK + size > source.size) break;
    const prefix = text(345, 155);
    const type = text(156, 1);
    if (type === '' || type === '0')
      members.push({ name: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`, offset: at + BLOCK, size });
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return members;
}

/** Octal digits, or bytes of a binary number behind 0x80. */
function tarSize(header: Uint8Array): number | undefined {
  const field = header.subarray(124, 136);
  if (field[0] === 0x80) {
    let size = 0;
    for (const byte of field.subarray(1)) size = size * 256 + byte;
    return Number.isSafeInteger(size) ? size : undefined;
  }
  const digits = /^ *([0-7]{1,12})[ \0]*$/.exec(latin1(field))?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

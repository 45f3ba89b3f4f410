/** What an rpm header says of its package. */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { decodeName } from '../bytes/text.ts';
import { Corrupt } from '../errors.ts';
import { type Package, present } from './package.ts';
import {
  HEADER_DATA_MAX,
  HEADER_ENTRY,
  HEADER_INTRO,
  HEADER_MAGIC,
  HEADER_MAGIC_SIZE,
  HEADER_TAGS_MAX,
  type HeaderEntry,
  RPM_I18NSTRING_TYPE,
  RPM_INT32_TYPE,
  RPM_STRING_ARRAY_TYPE,
  RPM_STRING_TYPE,
  RPMTAG_ARCH,
  RPMTAG_DESCRIPTION,
  RPMTAG_EPOCH,
  RPMTAG_NAME,
  RPMTAG_RELEASE,
  RPMTAG_SOURCERPM,
  RPMTAG_SUMMARY,
  RPMTAG_URL,
  RPMTAG_VERSION,
} from './rpm-format.ts';

const TAGS: ReadonlySet<number> = new Set([
  ...[RPMTAG_NAME, RPMTAG_VERSION, RPMTAG_RELEASE, RPMTAG_EPOCH, RPMTAG_SUMMARY],
  ...[RPMTAG_DESCRIPTION, RPMTAG_URL, RPMTAG_ARCH, RPMTAG_SOURCERPM],
]);

/**
 * The package of a header, as databases hold it, or with the magic of package files before it. Of a text in several languages the first
 * counts, which is the one of the C locale. Throws Corrupt for lengths that do not fit, and for a header without a name.
 */
export function parseRpmHeader(blob: Bytes): Package {
  const bytes = blob.length >= 4 && viewOf(blob).getUint32(0) === HEADER_MAGIC ? blob.subarray(HEADER_MAGIC_SIZE) : blob;
  const { il, dl } = HEADER_INTRO.read(bytes);
  if (il > HEADER_TAGS_MAX || dl > HEADER_DATA_MAX) throw corrupt(`${il} entries and ${dl} bytes are more than a header has`);
  const start = HEADER_INTRO.size + il * HEADER_ENTRY.size;
  if (start + dl > bytes.length) throw corrupt(`${il} entries and ${dl} bytes of data do not fit into ${bytes.length} bytes`);
  const data = bytes.subarray(start, start + dl);
  const entries = new Map<number, HeaderEntry>();
  // Entries behind the immutable region replace those in it: the last of a tag counts.
  for (let i = 0; i < il; i++) {
    const entry = HEADER_ENTRY.read(bytes, HEADER_INTRO.size + i * HEADER_ENTRY.size);
    if (TAGS.has(entry.tag)) entries.set(entry.tag, entry);
  }
  const text = (tag: number): string | undefined => textOf(data, entries.get(tag));
  const name = text(RPMTAG_NAME);
  if (name === undefined) throw corrupt('there is no name in it');
  return {
    name,
    epoch: numberOf(data, entries.get(RPMTAG_EPOCH)),
    version: text(RPMTAG_VERSION) ?? '',
    release: text(RPMTAG_RELEASE) ?? '',
    architecture: text(RPMTAG_ARCH) ?? '',
    ...present({
      summary: text(RPMTAG_SUMMARY),
      description: text(RPMTAG_DESCRIPTION),
      url: text(RPMTAG_URL),
      source: text(RPMTAG_SOURCERPM),
    }),
  };
}

function textOf(data: Bytes, entry: HeaderEntry | undefined): string | undefined {
  if (entry === undefined || entry.count === 0) return undefined;
  const { type, offset, tag } = entry;
  if (type !== RPM_STRING_TYPE && type !== RPM_I18NSTRING_TYPE && type !== RPM_STRING_ARRAY_TYPE) return undefined;
  const end = offset < 0 || offset >= data.length ? -1 : data.indexOf(0, offset);
  if (end < 0) throw corrupt(`the text of tag ${tag} at ${offset} does not end in its ${data.length} bytes of data`);
  return decodeName(data.subarray(offset, end));
}

function numberOf(data: Bytes, entry: HeaderEntry | undefined): number {
  if (entry === undefined || entry.type !== RPM_INT32_TYPE || entry.count === 0) return 0;
  if (entry.offset < 0 || entry.offset + 4 > data.length) throw corrupt(`the number of tag ${entry.tag} lies outside of its data`);
  return viewOf(data).getUint32(entry.offset);
}

function corrupt(message: string): Corrupt {
  return new Corrupt(message, { layer: 'rpm header' });
}

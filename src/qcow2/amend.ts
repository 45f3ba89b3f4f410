/** Changing what the header says: the backing file, the version, options. */
import { encodeName } from '../bytes/text.ts';
import { Refused, Unsupported } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { COMPRESSED, ZERO } from './entries.ts';
import * as format from './format.ts';
import type { Header } from './header.ts';
import { reload } from './snapshot-write.ts';
import type { WritableQcow2 } from './write.ts';

/** Names another backing file, or none; the contents are not looked at. */
export function* setBacking(image: WritableQcow2, backing: Header['backing']): Io<void> {
  const { file } = image;
  if (backing !== undefined && encodeName(backing.name).length > format.MAX_BACKING_NAME) {
    throw new Refused("the backing file's name is longer than 1023 bytes", file.where);
  }
  if (backing !== undefined && file.header.dataFile?.raw === true) {
    throw new Refused('a backing file and a raw data file exclude each other', file.where);
  }
  yield* image.exclusive(function* () {
    yield* file.flush();
    const { backing: _, ...rest } = file.header;
    yield* file.rewriteHeader(backing === undefined ? rest : { ...rest, backing });
  });
  yield* reload(image);
}

export interface Amendment {
  readonly version?: 2 | 3;
  readonly lazyRefcounts?: boolean;
}

/** Changes options of an image. Throws Unsupported where that would need its contents to be rewritten. */
export function* amendQcow2(image: WritableQcow2, { version, lazyRefcounts }: Amendment): Io<void> {
  const { file } = image;
  const { header } = file;
  const wanted = version ?? header.version;
  const lazy = lazyRefcounts ?? (wanted === 3 && header.lazyRefcounts);
  if (wanted === 2) {
    if (lazy) throw new Refused('lazy refcounts need version 3 (compat=1.1)', file.where);
    if (header.version === 3) yield* refuseVersion2(image);
  }
  const compatible = lazy
    ? header.compatibleFeatures | format.COMPATIBLE_LAZY_REFCOUNTS
    : header.compatibleFeatures & ~format.COMPATIBLE_LAZY_REFCOUNTS;
  yield* image.exclusive(function* () {
    yield* file.flush();
    yield* file.rewriteHeader({ ...file.header, version: wanted, compatibleFeatures: compatible });
  });
  yield* reload(image);
}

/** What version 2 cannot say. */
function* refuseVersion2(image: WritableQcow2): Io<void> {
  const { file } = image;
  const { header, where } = file;
  const refuse = (what: string): Unsupported => new Unsupported(`${what} in version 2`, undefined, where);
  if (header.refcountOrder !== 4) throw refuse('refcounts that have not 16 bits');
  if (header.incompatibleFeatures !== 0n) throw refuse('extended L2 entries, zstd compression or a data file');
  if (header.bitmaps !== undefined) throw refuse('bitmaps');
  if (file.snapshots.length > 0) throw new Unsupported('lowering the version of an image with snapshots', undefined, where);
  for (let index = 0; index * 8 < file.l1.bytes.length; index++) {
    const table = yield* file.l2(index);
    for (let at = 0; table !== undefined && at < table.bytes.length; at += 8) {
      if ((table.view.getUint32(at) & COMPRESSED) === 0 && (table.view.getUint32(at + 4) & ZERO) !== 0) throw refuse('clusters of zeros');
    }
    file.trim();
  }
}

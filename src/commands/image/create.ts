/** `img create`: a new raw or qcow2 image. */
import { Refused, Unsupported } from '../../errors.ts';
import { folderOf, protocolOf } from '../../image/names.ts';
import type { Io } from '../../io/effect.ts';
import { perform } from '../../io/effect.ts';
import { Truncate } from '../../io/source.ts';
import { createQcow2 } from '../../qcow2/create.ts';
import type { Run } from '../declaration.ts';
import type { Host, NewFile } from '../host.ts';
import type { Invocation } from '../invocation.ts';
import { type CreationOptions, parseCreationOptions } from './creation-options.ts';
import { parseSize } from './numbers.ts';

export const create: Run = function* (invocation, host): Io<number> {
  const name = invocation.argument('FILE');
  const format = invocation.value('--format') ?? 'raw';
  const options = format === 'raw' ? rawOptions(invocation) : parseCreationOptions(invocation);
  const backing = invocation.value('--backing') ?? options.backingFile;
  const backingFormat = invocation.value('--backing-format') ?? options.backingFormat;
  const given = invocation.optional('SIZE');
  let size = given === undefined ? options.size : parseSize(given, 'SIZE', invocation);
  if (format !== 'raw' && format !== 'qcow2')
    throw new Unsupported(`creating ${format}`, `only raw and qcow2 images can be created, not ${format}`);
  if (backing === '') throw invocation.wrongUse('the backing file has no name');
  if (backing !== undefined) {
    if (format === 'raw') throw invocation.wrongUse('a raw image has no backing file; use -f qcow2');
    if (backingFormat === undefined) throw invocation.wrongUse('a backing file needs its format (-F): it is never guessed');
    if (invocation.has('--unsafe')) {
      if (size === undefined) throw invocation.wrongUse('the size is missing');
    } else size ??= yield* backingSize(host, name, backing, backingFormat, true);
    if (!invocation.has('--unsafe') && given !== undefined) yield* backingSize(host, name, backing, backingFormat, false);
  }
  if (size === undefined) throw invocation.wrongUse('the size is missing');
  const file = yield* host.createFile(name);
  let data: NewFile | undefined;
  try {
    if (format === 'raw') yield* perform(new Truncate(file.target, Math.ceil(size / 512) * 512));
    else {
      const { backingFile: _, backingFormat: __, dataFile, dataFileRaw, ...rest } = options;
      if (dataFile !== undefined) data = yield* host.createFile(dataFile.startsWith('/') ? dataFile : folderOf(name) + dataFile);
      yield* createQcow2(file.target, {
        ...rest,
        size,
        ...(backing === undefined ? {} : { backing: { name: backing, ...(backingFormat === undefined ? {} : { format: backingFormat }) } }),
        ...(dataFile === undefined || data === undefined
          ? {}
          : { dataFile: { name: dataFile, raw: dataFileRaw ?? false, target: data.target } }),
      });
    }
    if (data !== undefined) yield* data.finish();
    yield* file.finish();
  } finally {
    data?.abandon();
    file.abandon();
  }
  return 0;
};

function rawOptions(invocation: Invocation): CreationOptions {
  const parsed = parseCreationOptions(invocation);
  const other = Object.keys(parsed).filter((key) => key !== 'size' && key !== 'preallocation');
  if (other.length > 0) throw invocation.wrongUse('raw images take only the options size and preallocation');
  return parsed;
}

/** Opens the backing file, which has to be there and another file than the new one; its size. */
function* backingSize(host: Host, name: string, backing: string, format: string, wanted: boolean): Io<number> {
  const protocol = protocolOf(backing);
  if (protocol !== undefined && !/^(?:https?|nbd)$/.test(protocol)) throw new Unsupported(`protocol ${protocol}`);
  const path = protocol !== undefined || backing.startsWith('/') ? backing : folderOf(name) + backing;
  if (path === name) throw new Refused('the backing file is the image itself', { image: name });
  const image = yield* host.openImage(path, { format });
  for (const warning of wanted ? image.warnings : []) host.warn(warning.message);
  return image.size;
}

/** `img convert`: the disk in an image, copied into a new raw or qcow2 file. */
import { GuestlessError, Refused, Unsupported } from '../../errors.ts';
import { copyDisk, type DiskSink, Qcow2Sink, RawSink } from '../../image/copy.ts';
import { chainOf, type Image } from '../../image/image.ts';
import { resolveDataName } from '../../image/names.ts';
import type { Io } from '../../io/effect.ts';
import type { WritableSource } from '../../io/source.ts';
import type { Run } from '../declaration.ts';
import type { Host } from '../host.ts';
import type { Invocation } from '../invocation.ts';
import { openNamedImage } from '../open-image.ts';
import { parseLayout } from './layout.ts';
import { parseSize } from './numbers.ts';

const SPARSE = 4096;
const MAX_SPARSE: number = 16 << 20;

export const convert: Run = function* (invocation, host): Io<number> {
  const makeSink = chooseSink(invocation, host);
  const detectZeros = parseSparse(invocation);
  const name = invocation.argument('TARGET');
  const image = yield* openNamedImage(invocation, host, { snapshot: snapshotOf(invocation) });
  yield* refuseOwnFiles(image, invocation.argument('IMAGE'), name, host);
  const file = yield* host.createFile(name);
  try {
    const sink = makeSink(file.target, image.size, detectZeros > 0);
    const onProgress = (done: number): void => host.progress(done, image.size);
    const raw = sink instanceof RawSink && detectZeros > 0;
    const done = raw && host.copyWithThreads !== undefined && (yield* host.copyWithThreads(image, file.target, detectZeros));
    if (!done) yield* copyDisk(image, sink, { detectZeros, onProgress, pause: () => host.pause() });
    yield* sink.finish();
    yield* file.finish();
  } finally {
    file.abandon();
  }
  return 0;
};

type SinkMaker = (target: WritableSource, size: number, sparse: boolean) => DiskSink;

/** What `-O`, `-o` and `-c` ask for. */
function chooseSink(invocation: Invocation, host: Host): SinkMaker {
  const format = invocation.value('--output-format') ?? 'raw';
  if (invocation.has('--no-create')) throw new Unsupported('convert -n', 'writing into an existing target (-n) is not supported');
  if (invocation.has('--backing')) throw new Unsupported('convert -B', 'a target with a backing file (-B) is not supported yet');
  const compress = invocation.has('--compress');
  const options = invocation.values('--options');
  if (format === 'raw') {
    if (compress) throw invocation.wrongUse('raw files cannot be compressed; use -O qcow2');
    if (options.length > 0) throw invocation.wrongUse(`raw takes no options, '${options.join(',')}' was given`);
    return (target, size, sparse) => new RawSink(target, size, { sparse });
  }
  if (format !== 'qcow2') throw new Unsupported(`writing ${format}`, `the output format ${format} is not supported; use raw or qcow2`);
  const layout = parseLayout(invocation);
  const { codecs } = host;
  const encode = layout.compression === 'zstd' ? codecs.zstdCompress : codecs.deflateRaw;
  const compressor = (cluster: Uint8Array): Uint8Array | undefined => {
    const compressed = encode(cluster);
    return compressed.length < cluster.length ? compressed : undefined;
  };
  return (target, size) => {
    if (target.truncateSync === undefined)
      throw new Refused('a qcow2 file cannot be written into a device or pipe', { image: target.name });
    return new Qcow2Sink(target, size, layout, compress ? compressor : undefined);
  };
}

function parseSparse(invocation: Invocation): number {
  const given = invocation.value('--sparse-size');
  if (given === undefined) return SPARSE;
  const size = parseSize(given, '-S', invocation);
  if (size % 512 !== 0 || size > MAX_SPARSE)
    throw invocation.wrongUse(`-S wants a multiple of 512 up to ${MAX_SPARSE}, or 0, not '${given}'`);
  return size;
}

/** `-l` takes an id or name, or `snapshot.id=ID` or `snapshot.name=NAME`. */
function snapshotOf(invocation: Invocation): string | undefined {
  const given = invocation.value('--snapshot');
  return given === undefined ? undefined : (/^snapshot\.(?:id|name)=(.*)$/s.exec(given)?.[1] ?? given);
}

/** The target may be none of the files that are read: replacing one would lose what the image needs. */
function* refuseOwnFiles(image: Image, name: string, target: string, host: Host): Io<void> {
  const identity = yield* identityOf(target, host);
  if (identity === undefined) return;
  const names = [name];
  for (const layer of chainOf(image)) {
    names.push(layer.source.name);
    const data = layer.metadata?.header.dataFile?.name;
    if (data !== undefined) names.push(resolveDataName(data, layer.source.name).path);
  }
  for (const one of names) {
    if ((yield* identityOf(one, host)) === identity) throw new Refused(`the target is ${one}, which is being read`, { image: target });
  }
}

/** Which file a name leads to; undefined where there is none that could be an image. */
function* identityOf(name: string, host: Host): Io<string | undefined> {
  try {
    const source = yield* host.openFile(name);
    source.close?.();
    return source.identity;
  } catch (error) {
    if (error instanceof GuestlessError) return undefined;
    throw error;
  }
}

/** `img info`: what an image says about itself. */
import { encodeName } from '../../bytes/text.ts';
import { chainOf } from '../../image/image.ts';
import { describeImage, type ImageInformation } from '../../image/information.ts';
import type { Io } from '../../io/effect.ts';
import type { SnapshotInformation } from '../../qcow2/information.ts';
import type { Run } from '../declaration.ts';
import type { Host } from '../host.ts';
import type { Invocation } from '../invocation.ts';
import { openNamedImage } from '../open-image.ts';
import { escapeControls } from '../output.ts';
import { printJson, printText, wantsJson } from './document.ts';
import { humanSize } from './numbers.ts';

export const info: Run = function* (invocation, host, output): Io<number> {
  const whole = invocation.has('--backing-chain');
  const described = whole ? yield* describeChain(invocation, host) : [yield* describe(invocation, host)];
  if (wantsJson(invocation)) yield* printJson(output, whole ? described : described[0]);
  else {
    const text = described.map(humanInformation).join('\n');
    yield* printText(output, output.terminal ? text.split('\n').map(escapeControls).join('\n') : text);
  }
  return 0;
};

function* describe(invocation: Invocation, host: Host): Io<ImageInformation> {
  const format = invocation.value('--format');
  const source = yield* host.openFile(invocation.argument('IMAGE'));
  const { information, metadata } = yield* describeImage(source, format === undefined ? {} : { format });
  for (const warning of metadata?.warnings ?? []) host.warn(warning.message);
  return information;
}

function* describeChain(invocation: Invocation, host: Host): Io<ImageInformation[]> {
  const image = yield* openNamedImage(invocation, host);
  const described: ImageInformation[] = [];
  for (const layer of chainOf(image)) described.push((yield* describeImage(layer.source, { format: layer.format })).information);
  return described;
}

/** The text of qemu-img for people. */
function humanInformation(information: ImageInformation): string {
  const { filename, format, snapshots } = information;
  const size = information['virtual-size'];
  const allocated = information['actual-size'];
  const lines = [`image: ${filename}`, `file format: ${format}`, `virtual size: ${humanSize(size)} (${size} bytes)`];
  lines.push(`disk size: ${allocated === undefined ? 'unavailable' : humanSize(allocated)}`);
  if (information.encrypted === true) lines.push('encrypted: yes');
  if (information['cluster-size'] !== undefined) lines.push(`cluster_size: ${information['cluster-size']}`);
  if (information['dirty-flag']) lines.push('cleanly shut down: no');
  const backing = information['backing-filename'];
  if (backing !== undefined) {
    const full = information['full-backing-filename'];
    lines.push(`backing file: ${backing}${full === undefined || full === backing ? '' : ` (actual path: ${full})`}`);
    if (information['backing-filename-format'] !== undefined) lines.push(`backing file format: ${information['backing-filename-format']}`);
  }
  if (snapshots !== undefined) lines.push('Snapshot list:', ...snapshotTable(snapshots));
  const specific = information['format-specific'];
  if (specific !== undefined) lines.push('Format specific information:', ...fields(specific.data, 4));
  return `${lines.join('\n')}\n`;
}

/** The list of `qemu-img snapshot -l`; times are local, columns count bytes. */
export function snapshotTable(snapshots: readonly SnapshotInformation[]): string[] {
  const row = (id: string, tag: string, size: string, date: string, clock: string, count: string): string =>
    `${id.padEnd(10)}${tag}${' '.repeat(Math.max(0, 17 - encodeName(tag).length))}${size.padStart(8)}${date.padStart(20)}${clock.padStart(13)}${count.padStart(11)}`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const rows = snapshots.map((snapshot) => {
    const date = new Date(snapshot['date-sec'] * 1000);
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
    const clock = snapshot['vm-clock-sec'];
    const milliseconds = String(Math.floor(snapshot['vm-clock-nsec'] / 1e6)).padStart(3, '0');
    const running = `${two(Math.floor(clock / 3600))}:${two(Math.floor(clock / 60) % 60)}:${two(clock % 60)}.${milliseconds}`;
    const count = snapshot.icount === undefined ? '' : String(snapshot.icount);
    return row(snapshot.id, snapshot.name, humanSize(snapshot['vm-state-size']), `${day} ${time}`, running, count);
  });
  return [row('ID', 'TAG', 'VM SIZE', 'DATE', 'VM CLOCK', 'ICOUNT'), ...rows];
}

/** The order in which qemu-img 7.2 prints fields for people; others follow. */
const ORDER: readonly string[] = [
  ...['active', 'iters', 'key-offset', 'stripes'],
  ...['compat', 'compression-type', 'lazy-refcounts', 'bitmaps', 'refcount-bits', 'data-file', 'data-file-raw', 'encrypt'],
  ...['corrupt', 'extended-l2'],
  ...['flags', 'name', 'granularity'],
  ...['ivgen-alg', 'hash-alg', 'cipher-alg', 'uuid', 'format', 'cipher-mode', 'slots', 'payload-offset', 'master-key-iters'],
];

function place(key: string): number {
  const index = ORDER.indexOf(key);
  return index < 0 ? ORDER.length : index;
}

/** An object or array, a field to a line, what is in it indented by four. */
function fields(value: object, indent: number): string[] {
  const margin = ' '.repeat(indent);
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((item: unknown, i): [string, unknown] => [`[${i}]`, item])
    : Object.entries(value)
        .sort(([a], [b]) => place(a) - place(b))
        .map(([key, item]): [string, unknown] => [key.replaceAll('-', ' '), item]);
  return entries.flatMap(([key, item]) =>
    item !== null && typeof item === 'object' ? [`${margin}${key}:`, ...fields(item, indent + 4)] : [`${margin}${key}: ${String(item)}`],
  );
}

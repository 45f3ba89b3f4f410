/** `img check`: the refcounts and tables of a qcow2 image. */
import { Unsupported } from '../../errors.ts';
import { probe } from '../../image/probe.ts';
import type { Io } from '../../io/effect.ts';
import { type CheckReport, checkQcow2 } from '../../qcow2/check.ts';
import { readMetadata } from '../../qcow2/metadata.ts';
import type { Run } from '../declaration.ts';
import { failingWith } from '../exit-status.ts';
import { printJson, printText, wantsJson } from './document.ts';

export const STATUS_ERROR = 1;
const STATUS_CORRUPT = 2;
const STATUS_LEAKS = 3;
const STATUS_NOTHING_TO_CHECK = 63;

export const check: Run = (invocation, host, output) => failingWith(STATUS_ERROR, work(invocation, host, output));

const work: Run = function* (invocation, host, output): Io<number> {
  const name = invocation.argument('IMAGE');
  const source = yield* host.openFile(name);
  const told = invocation.value('--format');
  const probed = told === undefined ? yield* probe(source) : { kind: told };
  if (probed.kind !== 'qcow2') {
    yield* failingWith(STATUS_NOTHING_TO_CHECK, refuse(name, told ?? ('format' in probed ? probed.format : probed.kind)));
  }
  const metadata = yield* readMetadata(source);
  const report = yield* checkQcow2(metadata);
  if (!invocation.has('--quiet')) {
    if (wantsJson(invocation)) {
      yield* printJson(output, jsonReport(report, name));
      for (const finding of report.findings) host.warn(finding);
    } else yield* printText(output, humanReport(report));
  }
  return statusOf(report);
};

/** The exit status that tells what was found, as that of qemu-img. */
export function statusOf(report: CheckReport): number {
  if (report.checkErrors > 0) return STATUS_ERROR;
  return report.corruptions > 0 ? STATUS_CORRUPT : report.leaks > 0 ? STATUS_LEAKS : 0;
}

// biome-ignore lint/correctness/useYield: it only ever throws
function* refuse(image: string, format: string): Io<never> {
  throw new Unsupported(`check of ${format}`, `the format ${format} has nothing to check`, { image });
}

/** Under the names of qemu-img; counts that are zero are left out where it leaves them out. */
export function jsonReport(report: CheckReport, filename: string): Record<string, unknown> {
  const optional = {
    'total-clusters': report.totalClusters,
    'allocated-clusters': report.allocatedClusters,
    'fragmented-clusters': report.fragmentedClusters,
    'compressed-clusters': report.compressedClusters,
    corruptions: report.corruptions,
    leaks: report.leaks,
  };
  return {
    'image-end-offset': report.imageEndOffset,
    'check-errors': report.checkErrors,
    filename,
    format: 'qcow2',
    ...Object.fromEntries(Object.entries(optional).filter(([, count]) => count !== 0)),
  };
}

export function humanReport(report: CheckReport): string {
  const { corruptions, leaks, checkErrors, allocatedClusters: allocated, totalClusters: total } = report;
  const lines = report.findings.map((finding) => (finding.startsWith('leaked ') ? `L${finding.slice(1)}` : `ERROR ${finding}`));
  if (corruptions + leaks + checkErrors === 0) lines.push('No errors were found on the image.');
  if (corruptions > 0) {
    lines.push(
      '',
      `${corruptions} errors were found on the image.`,
      'Data may be corrupted, or further writes to the image may corrupt it.',
    );
  }
  if (leaks > 0) {
    lines.push('', `${leaks} leaked clusters were found on the image.`, 'This means waste of disk space, but no harm to data.');
  }
  if (checkErrors > 0) lines.push('', `${checkErrors} internal errors have occurred during the check.`);
  if (total > 0 && allocated > 0) {
    lines.push(
      `${allocated}/${total} = ${percent(allocated, total)} allocated, ${percent(report.fragmentedClusters, allocated)} fragmented, ` +
        `${percent(report.compressedClusters, allocated)} compressed clusters`,
    );
  }
  if (report.imageEndOffset > 0) lines.push(`Image end offset: ${report.imageEndOffset}`);
  return `${lines.join('\n')}\n`;
}

/** Two decimals, ties to even as printf(3) rounds them. */
function percent(part: number, of: number): string {
  const scaled = (part * 10_000) / of;
  const down = Math.floor(scaled);
  const up = scaled - down > 0.5 || (scaled - down === 0.5 && down % 2 === 1);
  return `${((up ? down + 1 : down) / 100).toFixed(2)}%`;
}

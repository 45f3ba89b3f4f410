import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeImage } from '../../src/image/index.ts';
import { runSync } from '../../src/io/index.ts';
import { FileSource } from '../../src/platform/node/index.ts';
import { checkQcow2, readMetadata } from '../../src/qcow2/index.ts';
import { qcow2Folder } from '../image/chains.ts';
import { FIXTURES } from '../support/images.ts';

type Json = Record<string, unknown>;
const golden = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'qcow2/golden.json'), 'utf8')) as Record<
  string,
  { info: Json | null; check: Json | null }
>;
const folder = qcow2Folder();

describe('given images made by qemu-img and damaged by hand', () => {
  it.each(Object.keys(golden).filter((name) => golden[name]?.check !== null))('check counts in %s what qemu-img counts', (name) => {
    const source = FileSource.open(path.join(folder, name));
    const report = runSync(checkQcow2(runSync(readMetadata(source))));
    const expected = golden[name]?.check ?? {};
    const count = (key: string): unknown => expected[key] ?? 0;
    expect({
      end: report.imageEndOffset,
      total: report.totalClusters,
      allocated: report.allocatedClusters,
      compressed: report.compressedClusters,
      fragmented: report.fragmentedClusters,
      corruptions: report.corruptions,
      leaks: report.leaks,
      errors: report.checkErrors,
    }).toEqual({
      end: count('image-end-offset'),
      total: count('total-clusters'),
      allocated: count('allocated-clusters'),
      compressed: count('compressed-clusters'),
      fragmented: count('fragmented-clusters'),
      corruptions: count('corruptions'),
      leaks: count('leaks'),
      errors: count('check-errors'),
    });
    source.close();
  });

  it.each(Object.keys(golden).filter((name) => golden[name]?.info !== null))('info says of %s what qemu-img says', (name) => {
    const source = FileSource.open(path.join(folder, name));
    const { information } = runSync(describeImage(source));
    // Neither the folder nor what the host allocates for an unpacked copy is part of the image.
    const { 'actual-size': _ours, ...ours } = information;
    const { 'actual-size': _theirs, ...theirs } = golden[name]?.info ?? {};
    expect(JSON.parse(JSON.stringify(ours).replaceAll(`${folder}/`, ''))).toEqual(theirs);
    source.close();
  });
});

// How many bytes a browser fetches for the library: core, qcow2, partitions, ext4 and FAT, minified and gzipped. Decoders are fetched on demand.
import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const LIMIT = 60 * 1024;

export async function measureSize(scratch) {
  const bundle = await rolldown({
    input: path.join(import.meta.dirname, 'size-entry.ts'),
    platform: 'browser',
    tsconfig: path.join(import.meta.dirname, '../../tsconfig.core.json'),
    treeshake: { moduleSideEffects: false },
    checks: { bundlerTimings: false, pluginTimings: false },
  });
  const { output } = await bundle.write({ dir: path.join(scratch, 'size'), format: 'es', minify: true });
  const size = (chunk) => gzipSync(fs.readFileSync(path.join(scratch, 'size', chunk.fileName)), { level: 9 }).length;
  const entry = output.find((chunk) => chunk.isEntry);
  const first = new Set([entry.fileName, ...entry.imports]);
  const now = output.filter((chunk) => first.has(chunk.fileName)).reduce((sum, chunk) => sum + size(chunk), 0);
  const later = output.filter((chunk) => !first.has(chunk.fileName)).map((chunk) => `${chunk.name} ${(size(chunk) / 1024).toFixed(1)} KB`);
  assert.ok(now < LIMIT, `${now} bytes`);
  return `${(now / 1024).toFixed(1)} KB of ${LIMIT / 1024}; on demand: ${later.join(', ') || 'nothing'}`;
}

// How many bytes a browser fetches for the library: core, qcow2, partitions, ext4 and FAT, minified and gzipped. Decoders are fetched on demand.
import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const LIMIT = 60 * 1024;

export async function measureSize(scratch) {
  const reading = await measure('size-entry.ts', path.join(scratch, 'size-reading'));
  const whole = await measure('size-whole.ts', path.join(scratch, 'size-whole'));
  assert.ok(reading.now < LIMIT, `${reading.now} bytes`);
  const shown = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
  const later = reading.later.map(([name, bytes]) => `${name} ${shown(bytes)}`).join(', ');
  return `reading ${shown(reading.now)} of ${LIMIT / 1024}; on demand: ${later}; with writing and inspection ${shown(whole.now)}`;
}

async function measure(entry, folder) {
  const bundle = await rolldown({
    input: path.join(import.meta.dirname, entry),
    platform: 'browser',
    preserveEntrySignatures: 'allow-extension',
    tsconfig: path.join(import.meta.dirname, '../../tsconfig.core.json'),
    treeshake: { moduleSideEffects: false },
    checks: { bundlerTimings: false, pluginTimings: false },
  });
  const { output } = await bundle.write({ dir: folder, format: 'es', minify: true });
  const size = (name) => gzipSync(fs.readFileSync(path.join(folder, name)), { level: 9 }).length;
  const main = output.find((chunk) => chunk.isEntry);
  const first = [main.fileName, ...main.imports];
  return {
    now: first.reduce((sum, name) => sum + size(name), 0),
    later: output.filter((chunk) => !first.includes(chunk.fileName)).map((chunk) => [chunk.name, size(chunk.fileName)]),
  };
}

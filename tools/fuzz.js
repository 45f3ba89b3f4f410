// Longer property runs and hostile input: node tools/fuzz.js [--minutes=N] [FILTER...]; test/fuzz holds the suites, which repeat with a
// new seed each round until the time is over. A failure prints the seed; GUESTLESS_FUZZ_SEED=N repeats that round.
import { spawnSync } from 'node:child_process';
import process from 'node:process';

const words = process.argv.slice(2);
const minutes = Number(words.find((word) => word.startsWith('--minutes='))?.slice('--minutes='.length) ?? 5);
const filters = words.filter((word) => !word.startsWith('--'));
const until = Date.now() + minutes * 60_000;
let rounds = 0;
let failures = 0;
do {
  const seed = process.env.GUESTLESS_FUZZ_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
  const { status } = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.fuzz.config.ts', ...filters],
    {
      stdio: 'inherit',
      env: { ...process.env, GUESTLESS_FUZZ_SEED: seed },
    },
  );
  rounds++;
  if (status !== 0) {
    failures++;
    console.error(`failed with GUESTLESS_FUZZ_SEED=${seed}`);
    break;
  }
} while (Date.now() < until && process.env.GUESTLESS_FUZZ_SEED === undefined);
console.log(`${rounds - failures} passed, ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;

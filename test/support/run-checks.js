// Runs checks that are no vitest tests one after the other, each by its name; the last line is `N passed, N failed`.

/**
 * Every check throws when the product is at fault. `only`: a part of the names of those to run; `after`: what has to hold behind each of
 * them. Sets the exit code.
 */
export async function runChecks(checks, { only = '', after = () => {} } = {}) {
  let passed = 0;
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    if (!name.includes(only)) continue;
    const started = performance.now();
    try {
      await check();
      await after();
      passed++;
      console.log(`ok   ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed++;
      console.log(`FAIL ${name}\n${error.stack ?? error}`);
    }
  }
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  process.once('exit', () => console.log(`${passed} passed, ${failed} failed`));
}

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Beside the long runs, all that throw random bytes at decoders: with a new seed each round.
    include: ['test/fuzz/**/*.test.ts', 'test/**/*{hostile,damage,fuzz}*.test.ts'],
    globalSetup: ['test/support/run-setup.ts'],
    setupFiles: ['test/support/seed.ts', 'test/support/cleaning.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});

/** More of test/ext4/write-model and write-others: many sequences, a new seed each round. */
process.env['GUESTLESS_FUZZ_RUNS'] ??= '25';
await import('../ext4/write-model.test.ts');
await import('../ext4/write-others.test.ts');

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/install.ts'],
    // Real servers and browsers on two cores, which wait for each other half of the time: a few files at once, generous
    // limits. No test asserts a time.
    maxWorkers: 3,
    // CI's machine is shared, too: one second try there, none here, so that what is flaky is seen and mended.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', './test/support/summary.ts'],
  },
});

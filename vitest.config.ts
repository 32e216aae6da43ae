import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{protocol,boards,firmware-host,tools,hil-tests}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});

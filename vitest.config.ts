import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: 'test/setup/packages.ts',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/world/**'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'world', // boots machines and guests: one file at a time, and not beside the others
          include: ['test/world/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});

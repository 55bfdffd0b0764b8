import { configDefaults, defineConfig } from 'vitest/config';

/** Installs the Debian packages that are missing. */
const globalSetup = 'test/setup/packages.ts';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'pure', // Node and the sources are enough: no root, no network, and no program is found
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'test/**/*.host.test.ts', 'test/world/**'],
          env: { PATH: '/nonexistent' },
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'host', // starts programs of the host, needs root or dist/, or takes its time
          include: ['test/**/*.host.test.ts'],
          globalSetup,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'world', // boots machines and guests: one file at a time, and not beside the others
          include: ['test/world/**/*.test.ts'],
          globalSetup,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});

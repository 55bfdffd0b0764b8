import { configDefaults, defineConfig } from 'vitest/config';

/** Installs the Debian packages that are missing. */
const globalSetup = 'test/setup/packages.ts';

/** Longer than vitest's second: a machine that runs something for the first time reads it from its disk. */
const patient = { poll: { timeout: 10_000 } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'pure', // starts no process, needs neither root nor network: no program is to be found
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'test/**/*.host.test.ts', 'test/world/**'],
          env: { PATH: '/nonexistent' },
          isolate: false, // modules are loaded once, not once a file: half of the time
          testTimeout: 20_000,
          expect: patient,
        },
      },
      {
        test: {
          name: 'host', // starts programs, needs root or dist/, or a clock that nobody holds up
          include: ['test/**/*.host.test.ts'],
          globalSetup,
          testTimeout: 20_000,
          expect: patient,
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
          expect: patient,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});

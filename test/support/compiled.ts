import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { compileTo } from './compile.js';

interface Compiled {
  /** Path of the fixture that was asked for. */
  readonly fixture: string;
  /** Path of the command line's entry. */
  readonly main: string;
}

/** `compileTo` for all tests of a file, gone at their end. Call it outside of them, and read the paths in them. */
export function compiled(fixture = 'unused'): Compiled {
  const directory = mkdtempSync(join(tmpdir(), 'wedgewatch-compiled-'));
  let path = '';
  beforeAll(async () => {
    path = await compileTo(directory, fixture);
  }, 60_000);
  afterAll(() => rmSync(directory, { recursive: true }));
  return {
    get fixture() {
      return path;
    },
    get main() {
      return join(dirname(path), '../../src/cli/main.js');
    },
  };
}

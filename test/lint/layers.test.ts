/** The rule that core/ is pure is only as good as what it catches: each way around it is a row here. */
import { readdirSync } from 'node:fs';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';

// Without type information, so that the snippets need no files; the layer rules do not use it.
const eslint = new ESLint({ overrideConfig: [tseslint.configs.disableTypeChecked] });

async function layerMessages(code: string, filePath: string): Promise<string[]> {
  const [result] = await eslint.lintText(`${code}\n`, { filePath });
  const messages = result?.messages ?? [];
  expect(messages.filter(({ fatal }) => fatal)).toEqual([]);
  return messages.filter(({ ruleId }) => ruleId?.startsWith('no-restricted-')).map(({ message }) => message);
}

const IMPURE = [
  "import { readFileSync } from 'node:fs'; readFileSync('x');",
  "import { readFile } from 'node:fs/promises'; void readFile('x');",
  "import { readFileSync } from 'fs'; readFileSync('x');",
  "import { readFile } from 'fs/promises'; void readFile('x');",
  "import { request } from 'http'; request('x');",
  "import { randomUUID } from 'crypto'; randomUUID();",
  "import { setTimeout as sleep } from 'timers/promises'; void sleep(1);",
  "import type { Stats } from 'node:fs'; export type A = Stats;",
  "export * from 'node:os';",
  "export { platform } from 'os';",
  "import fs = require('node:fs'); fs.readFileSync('x');",
  "void import('node:fs');",
  "export type A = import('node:fs').Stats;",
  "require('fs');",
  "import { execa } from 'execa'; void execa('x');",
  "import { watch } from 'chokidar'; watch('x');",
  "import { schedule } from 'node-cron'; schedule('* * * * *', () => undefined);",
  "import { a } from '../io/a.js'; a();",
  "import { a } from '../../io/deep/a.js'; a();",
  "import { a } from '../io'; a();",
  "import { a } from '../cli/a.js'; a();",
  "import type { A } from '../io/a.js'; export type B = A;",
  "import { a } from '../daemon/a.js'; a();",
  "export { a } from '../io/a.js';",
  'export const a = Date.now();',
  "export const a = Date['now']();",
  'export const { now } = Date;',
  'export const a = [1].map(Date.now);',
  'export const a = new Date();',
  'export const a = new Date;',
  'export const a = Date();',
  'export const a = performance.now();',
  'export const a = Math.random();',
  'export const { random } = Math;',
  'export const a = crypto.randomUUID();',
  'setTimeout(() => undefined, 1);',
  'setInterval(() => undefined, 1);',
  'setImmediate(() => undefined);',
  'queueMicrotask(() => undefined);',
  'clearTimeout(1);',
  'export const a = AbortSignal.timeout(1);',
  'export const a = process.env;',
  'export const a = process.hrtime();',
  'export const a = globalThis.process;',
  "export const a = globalThis['process'];",
  'export const { process } = globalThis;',
  'export const a = globalThis;',
  'export const a = global.process;',
  "export const a = Buffer.from('x');",
  'export const f = (a: Buffer) => a;',
  "console.log('x');",
  "void fetch('x');",
  "export const a = new WebSocket('x');",
  'export const a = import.meta.dirname;',
  'export const a = __dirname;',
];

const PURE = [
  "import { z } from 'zod'; export const a = z.string();",
  "import { b } from './b.js'; export const a = b;",
  "import { b } from '../paths/os/b.js'; export const a = b;",
  "import { b } from '../io-words.js'; export const a = b;",
  'export const a = (ms: number) => new Date(ms).toISOString();',
  "export const a = Date.parse('2026-01-01') + Date.UTC(2026);",
  'export const a = new TextDecoder().decode(new Uint8Array(3)) + String(Math.max(1, 2));',
  'export const process = (line: string) => line;',
];

describe('core/', () => {
  it.each(IMPURE)('may not: %s', async (code) => {
    expect(await layerMessages(code, 'src/core/snippet.ts')).not.toEqual([]);
    expect(await layerMessages(code, 'src/core/deep/er/snippet.tsx')).not.toEqual([]);
  });

  it.each(PURE)('may: %s', async (code) => {
    expect(await layerMessages(code, 'src/core/snippet.ts')).toEqual([]);
  });

  it('is told why', async () => {
    expect(await layerMessages('export const a = Date.now();', 'src/core/snippet.ts')).toEqual([
      expect.stringContaining('core/ is pure'),
    ]);
  });
});

describe('the folders of core/', () => {
  const importing = (path: string) => `import { a } from '${path}'; a();`;

  it.each(readdirSync('src/core', { withFileTypes: true }).filter((entry) => entry.isDirectory()))(
    '$name stands on a floor above the files of core/',
    async ({ name }) => {
      expect(await layerMessages(importing(`./${name}/a.js`), 'src/core/snippet.ts')).toEqual([
        expect.stringContaining('beside or above'),
      ]);
      expect(await layerMessages(importing('../words.js'), `src/core/${name}/snippet.ts`)).toEqual([]);
    },
  );

  it.each([
    ['config', 'console'],
    ['console', 'dump'],
    ['host', 'ssh'],
    ['qmp', 'capture'],
    ['dump', 'capture'],
    ['journal', 'analysis'],
    ['analysis', 'report'],
    ['report', 'watch'],
  ])('%s/ may not import %s/', async (folder, other) => {
    for (const path of [`../${other}/a.js`, `../../${other}/deep/a.js`])
      expect(await layerMessages(importing(path), `src/core/${folder}/snippet.tsx`)).toEqual([
        expect.stringContaining('beside or above'),
      ]);
  });

  it.each([
    ['dump', 'console'],
    ['journal', 'config'],
    ['analysis', 'host'],
    ['report', 'capture'],
    ['watch', 'report'],
  ])('%s/ may import %s/', async (folder, other) => {
    expect(await layerMessages(importing(`../${other}/a.js`), `src/core/${folder}/snippet.ts`)).toEqual([]);
  });

  it('stay pure', async () => {
    expect(await layerMessages(importing('node:fs'), 'src/core/watch/snippet.ts')).not.toEqual([]);
    expect(await layerMessages(importing('../../io/a.js'), 'src/core/watch/snippet.ts')).not.toEqual([]);
  });
});

describe('the other layers', () => {
  it.each([
    ['io', 'daemon'],
    ['io', 'guest'],
    ['io', 'cli'],
    ['guest', 'daemon'],
    ['guest', 'cli'],
    ['daemon', 'guest'],
    ['daemon', 'cli'],
  ])('%s/ may not import %s/', async (layer, other) => {
    const code = `import { a } from '../${other}/a.js'; a();`;
    expect(await layerMessages(code, `src/${layer}/snippet.ts`)).toEqual([
      expect.stringContaining(`${layer}/ may not import`),
    ]);
  });

  it.each(['io', 'guest', 'daemon'])('%s/ may touch the world', async (layer) => {
    const code = "import 'node:fs'; import { a } from '../core/a.js'; setTimeout(() => a(Date.now()), 1);";
    expect(await layerMessages(code, `src/${layer}/snippet.ts`)).toEqual([]);
  });
});

/** The table of dependencies in docs/architecture.md is what is installed. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';

const names = z.record(z.string(), z.string()).default({});
const packageJson = z.object({ dependencies: names, devDependencies: names });
const lockFile = z.object({ packages: z.record(z.string(), z.object({ dependencies: names })) });

const read = (path: string) => readFileSync(path, 'utf8');
const { packages } = lockFile.parse(JSON.parse(read('package-lock.json')));

/** Where Node finds a package from inside another: in its own node_modules, or in one further up. */
function locate(name: string, from: string): string {
  const path = `${from}${from === '' ? '' : '/'}node_modules/${name}`;
  if (path in packages || from === '') return path;
  return locate(name, from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))));
}

/** How many packages come with one. */
function brought(name: string): number {
  const all = [locate(name, '')];
  for (const path of all)
    for (const other of Object.keys(packages[path]?.dependencies ?? {})) {
      const found = locate(other, path);
      if (!all.includes(found)) all.push(found);
    }
  return all.length - 1;
}

it('each has a row that says what it is for and what it brings', () => {
  const { dependencies, devDependencies } = packageJson.parse(JSON.parse(read('package.json')));
  const rows = [...read('docs/architecture.md').matchAll(/^\| `([^`]+)` \| (.{8,}?) *\| (\d+) *\|$/gm)];
  expect(rows.map(([, name, , count]) => [name, Number(count)])).toEqual(
    [...Object.keys(dependencies), ...Object.keys(devDependencies)].map((name) => [name, brought(name)]),
  );
});

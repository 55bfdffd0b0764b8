import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const PROJECT = join(import.meta.dirname, '../..');

/**
 * Compiles src/ and test/fixtures/ into a directory, types unchecked, so that a test can run them as real processes
 * without a build before it. Returns the path of a fixture there.
 */
export async function compileTo(directory: string, fixture: string): Promise<string> {
  for (const folder of ['src', 'test/fixtures']) {
    for (const name of await readdir(join(PROJECT, folder), { recursive: true })) {
      if (!/\.tsx?$/.test(name)) continue;
      const text = await readFile(join(PROJECT, folder, name), 'utf8');
      const target = join(directory, folder, name.replace(/\.tsx?$/, '.js'));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(
        target,
        ts.transpileModule(text, { compilerOptions: OPTIONS, fileName: name }).outputText,
      );
    }
  }
  await copyFile(join(PROJECT, 'package.json'), join(directory, 'package.json'));
  await symlink(join(PROJECT, 'node_modules'), join(directory, 'node_modules'));
  return join(directory, 'test/fixtures', fixture);
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  jsx: ts.JsxEmit.ReactJSX,
  jsxImportSource: 'preact',
};

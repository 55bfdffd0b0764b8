import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/**
 * The files of a kernel's unpacked packages: Debian's has its image in boot up to 6.19, beside its modules from 7.0 on.
 * @throws Error if there is none
 */
export async function kernelIn(packages: string): Promise<{ image: string; modules: string }> {
  for (const directory of ['usr/lib/modules', 'lib/modules'].map((path) => join(packages, path))) {
    const [release] = existsSync(directory) ? await readdir(directory) : [];
    if (release === undefined) continue;
    const modules = join(directory, release);
    const images = [join(modules, 'vmlinuz'), join(packages, 'boot', `vmlinuz-${release}`)];
    const image = images.find((path) => existsSync(path));
    if (image !== undefined) return { image, modules };
  }
  throw new Error(`None of the packages in ${packages} has a kernel and its modules.`);
}

interface KernelModule {
  name: string;
  content: Buffer;
}

/** The kernel takes a name with `-` and with `_` as the same. */
const moduleName = (file: string) =>
  basename(file)
    .replace(/\.ko(\.xz)?$/, '')
    .replaceAll('-', '_');

/** Modules that must be loaded before this one, from its .modinfo section: the package lacks modules.dep. */
export function dependsOn(module: Buffer): string[] {
  const names = /\0depends=([^\0]*)\0/.exec(module.toString('latin1'))?.[1] ?? '';
  return names === '' ? [] : names.split(',').map(moduleName);
}

/**
 * The wanted modules and all they depend on, each after its dependencies; built-in ones are left out.
 * @param directory lib/modules/VERSION of a kernel package
 * @param read returns a module's content, uncompressed
 * @throws Error for a module that the kernel does not have
 */
export async function modulesInOrder(
  directory: string,
  wanted: readonly string[],
  read: (path: string) => Promise<Buffer>,
): Promise<KernelModule[]> {
  const files = await readdir(directory, { recursive: true });
  const paths = new Map(
    files.filter((file) => /\.ko(\.xz)?$/.test(file)).map((file) => [moduleName(file), file]),
  );
  const builtin = await readFile(join(directory, 'modules.builtin'), 'utf8');
  const seen = new Set(builtin.split('\n').map(moduleName));
  const modules: KernelModule[] = [];
  const add = async (name: string): Promise<void> => {
    if (seen.has(name)) return;
    seen.add(name);
    const path = paths.get(name);
    if (path === undefined) throw new Error(`The kernel in ${directory} has no module ${name}.`);
    const content = await read(join(directory, path));
    for (const dependency of dependsOn(content)) await add(dependency);
    modules.push({ name, content });
  };
  for (const name of wanted) await add(name);
  return modules;
}

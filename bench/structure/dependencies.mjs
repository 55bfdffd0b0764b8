import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Packages that an installation brings, by the lock file: those asked for, and all. */
export function runtimeDependencies(directory) {
  const { packages } = JSON.parse(readFileSync(join(directory, 'package-lock.json'), 'utf8'));
  const all = Object.entries(packages).filter(([path, { dev, devOptional, peer }]) => {
    return path !== '' && dev !== true && devOptional !== true && peer !== true;
  });
  return {
    direct: Object.keys(packages[''].dependencies ?? {}).sort(),
    all: all.map(([path]) => path.replace(/^.*node_modules\//, '')).sort(),
  };
}

import type { Kernel } from './model.js';

/** The parts if all of them are known, else null. */
export function allKnown<K extends string, T>(parts: Record<K, T | null>): Record<K, T> | null {
  const isWhole = (some: Record<K, T | null>): some is Record<K, T> => !Object.values(some).includes(null);
  return isWhole(parts) ? parts : null;
}

/** The address of one of the kernel's own objects. */
export function objectAt(kernel: Kernel, name: string): bigint | null {
  return kernel.object(name) ?? kernel.symbols.address(name);
}

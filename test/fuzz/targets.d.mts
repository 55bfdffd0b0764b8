import type { Material, Random } from './mutate.mjs';

export interface Target {
  material: Material;
  /** Reads one input; throws where the reader does, or breaks its word. Returns what kind of input it was. */
  run(bytes: Uint8Array, random: Random): string;
}
/** Of modules such as `core/qmp/codec`, as source or as built. */
type Load = (module: string) => Promise<unknown>;
export const TARGETS: Record<
  'export' | 'console' | 'qmp' | 'config' | 'dump' | 'paste' | 'memory',
  (load: Load) => Promise<Target>
>;

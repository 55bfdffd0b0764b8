/** The test world, for benchmarks: a Debian 13 with systemd's units for guests as kdevops has them. Takes root. */
import { resolve } from 'node:path';
import { createViteServer } from 'vitest/node';

const root = resolve(import.meta.dirname, '..');
const server = await createViteServer({
  root,
  configFile: false,
  appType: 'custom',
  logLevel: 'error',
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, ws: false, watch: null, hmr: false },
});
/** A file of test/world, which is TypeScript. */
const load = (name) => server.ssrLoadModule(`/test/world/${name}.ts`);
export const [{ World, user }, guests, watchdog, { buildModule }, { shareScenes }] = await Promise.all(
  ['world', 'guests', 'watchdog', 'kernel-module', 'scenes'].map(load),
);
await server.close();

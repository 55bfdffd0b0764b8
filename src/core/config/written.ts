/** Values back in the form in which the file is written: durations as `3s`, not as milliseconds. */
import { z } from 'zod';
import { configSchema, type Config, GUEST_SECTIONS, type GuestSettings } from './schema.js';

/** The whole configuration; read again it gives the same one. */
export function writtenConfig(config: Config): z.input<typeof configSchema> {
  return z.encode(configSchema, config);
}

/** What holds for one guest, for programs: who it is, then each section of the file that may differ for a guest. */
export function writtenSettings(settings: GuestSettings): object {
  const { vm, unit, qmpSocket } = settings;
  return { vm, unit, qmpSocket, console: writtenConsole(settings), ...writtenSections(settings) };
}

/** What holds for one guest, as a configuration of its own: read again it gives the same settings for this guest. */
export function writtenGuest(settings: GuestSettings): object {
  const { vm, unit, qmpSocket, ssh, hostIsName } = settings;
  const entry = { name: vm, unit, qmp: qmpSocket, console: writtenConsole(settings) };
  // Spelled out, the name would be a host that somebody has named.
  const asGiven = hostIsName === true ? { ...settings, ssh: { ...ssh, host: '%v' } } : settings;
  return { guests: [entry], ...writtenSections(asGiven) };
}

const writtenConsole = ({ console }: GuestSettings): string =>
  console.kind === 'file' ? `file:${console.path}` : 'journal';

function writtenSections(settings: GuestSettings): Record<string, unknown> {
  const { shape } = configSchema;
  return Object.fromEntries(
    GUEST_SECTIONS.map((key) => [key, z.encode<z.ZodType>(shape[key], settings[key])]),
  );
}

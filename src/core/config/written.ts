/** Values back in the form in which the file is written: durations as `3s`, not as milliseconds. */
import { z } from 'zod';
import { configSchema, type Config, type GuestSettings } from './schema.js';

const { ssh, detect, capture, qmp } = configSchema.shape;

/** The whole configuration; read again it gives the same one. */
export function writtenConfig(config: Config): z.input<typeof configSchema> {
  return z.encode(configSchema, config);
}

/** What holds for one guest, in the words of the file. */
export function writtenSettings(settings: GuestSettings): object {
  const { console } = settings;
  return {
    vm: settings.vm,
    unit: settings.unit,
    qmpSocket: settings.qmpSocket,
    console: console.kind === 'file' ? `file:${console.path}` : 'journal',
    ssh: z.encode(ssh, settings.ssh),
    detect: z.encode(detect, settings.detect),
    capture: z.encode(capture, settings.capture),
    qmp: z.encode(qmp, settings.qmp),
  };
}

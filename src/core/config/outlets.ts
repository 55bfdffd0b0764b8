/** What the configuration says of telling others: files, metrics, programs. */
import { z } from 'zod';
import { command, duration, optionalUserPath } from './fields.js';

const PROM_EXPECTED = 'expected an absolute path, or one that begins with ~/, to a file that ends in .prom';

export const status = z
  .strictObject({
    directory: optionalUserPath(
      'Directory for a JSON file a guest, which tells its state to programs that reach no socket, such as those in a container; ~/ is the home directory. Best one of its own. Default: none.',
    ),
  })
  .describe('Where to show the state of each guest, beside the verb status.');

export const metrics = z
  .strictObject({
    port: z
      .int('expected a port from 1024 to 65535, or nothing for none')
      .min(1024, 'expected a port from 1024 on: the others take root')
      .max(65_535, 'expected a port up to 65535')
      .nullable()
      .describe(
        'Port of 127.0.0.1 with /metrics in the format of OpenMetrics, beside the control socket. Every user of this host can read it. Default: none.',
      )
      .prefault(null),
    textfile: z
      .string(PROM_EXPECTED)
      .regex(/^~?\/.*\.prom$/, PROM_EXPECTED)
      .nullable()
      .describe(
        "File for node-exporter's textfile collector, whose directory must exist; its name ends in .prom. Default: none.",
      )
      .prefault(null),
  })
  .describe('Where to show the metrics of the daemon. docs/metrics.md explains them.');

const hook = z.strictObject({
  command: command(
    'The program and its arguments, each an item of the list: no shell reads them. %v is the name of the VM, %u its unit, %i the ID of the incident, %d its directory; in there it runs, with incident.json on its standard input.',
  ),
  timeout: duration(
    { min: '1s', max: '1h', because: 'a program takes that long to start on a busy host' },
    'Its deadline; what is left of it then is killed.',
  ).prefault('1min'),
});

export const onIncident = z
  .array(hook, 'expected a list such as [{command: [notify-send, wedged]}]')
  .describe(
    'Programs to run, one after the other, once a hang is filed. Captures by hand run none, and no guest waits for them. docs/hooks.md has examples.',
  )
  .prefault([]);

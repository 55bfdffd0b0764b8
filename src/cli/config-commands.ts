/** The verbs below `config`. */
import type { Command } from '@commander-js/extra-typings';
import type { Globals } from './globals.js';
import type { Terminal } from './print.js';

export function configCommands(
  program: Command,
  globals: () => Globals,
  terminal: Terminal,
  done: (code: number) => void,
): void {
  const config = program
    .command('config')
    .description('Check the configuration, print its schema, or show the settings in force.');
  const configOptions = (json: boolean | undefined, file: string | undefined) => {
    const { config: global, quiet } = globals();
    return { file: file ?? global, json: json ?? false, quiet, out: terminal.out, err: terminal.err };
  };
  config
    .command('check [file]')
    .description('List every problem of a configuration file.')
    .option('--json', 'print JSON')
    .action(async (file, options) => {
      const { configCheck } = await import('./config.js');
      done(await configCheck(configOptions(options.json, file)));
    });
  config
    .command('schema')
    .description('Print the JSON Schema of the file, for editors.')
    .option('--json', 'accepted, and changes nothing: the schema is JSON')
    .action(async () => {
      const { configSchemaText } = await import('./config.js');
      done(configSchemaText(terminal));
    });
  config
    .command('show [vm]')
    .description('Show the settings in force, for all guests or for one VM.')
    .option('--json', 'print JSON')
    .action(async (vm, options) => {
      const { configShow } = await import('./config.js');
      done(await configShow({ ...configOptions(options.json, undefined), vm: vm ?? null }));
    });
}

/** The verbs that make wedgewatch a unit of its user, and take that back. */
import type { Command } from '@commander-js/extra-typings';
import type { Terminal } from './print.js';

export function installCommands(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('install')
    .description(
      'Install wedgewatch as a unit of this user, with --system of the host: units, node, linger, start. Run it again after an upgrade.',
    )
    .option('-n, --dry-run', 'only say what it would do')
    .option('--command <path>', 'let the unit start this command, such as the one of a Nix profile')
    .option('--json', 'print the steps as JSON')
    .action(async (options) => {
      const { install } = await import('./install.js');
      done(await install(options, terminal));
    });

  program
    .command('uninstall')
    .description('Take back what install did; incidents and configuration stay.')
    .option('-n, --dry-run', 'only say what it would do')
    .option('--json', 'print the steps as JSON')
    .action(async (options) => {
      const { uninstall } = await import('./install.js');
      done(await uninstall(options, terminal));
    });
}

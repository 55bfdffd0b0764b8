/** The verbs that read a running guest's memory; each is loaded when it is called. */
import type { Command } from '@commander-js/extra-typings';
import type { Globals } from './globals.js';

export function memoryCommands(program: Command, globals: () => Globals, done: (code: number) => void): void {
  program
    .command('ps <vm>')
    .description('Show the tasks of a running guest from its memory, those longest off the CPU first.')
    .option('-a, --all', 'show idle kernel threads too')
    .option('-w, --watch', 'refresh each second until interrupted')
    .option('--json', 'print JSON; with --watch, one line each second')
    .action(async (vm, options) => {
      const { ps } = await import('./ps.js');
      done(await ps(vm, options, globals()));
    });

  program
    .command('dmesg <vm>')
    .description("Print the kernel's log of a running guest from its memory.")
    .option('-w, --watch', 'print what comes, until interrupted')
    .option('--json', 'print JSON; with --watch, a line each')
    .action(async (vm, options) => {
      const { dmesg } = await import('./dmesg.js');
      done(await dmesg(vm, options, globals()));
    });

  program
    .command('stacks [id]')
    .description(
      'Print the stacks of a running guest (its name), an incident (ID, ID:w.1), a console log or a memory image, equal ones together.',
    )
    .option('-c, --function <name>', 'show only stacks with this function, or a glob such as nfs_*')
    .option('-m, --module <name>', 'show only stacks with a frame of this module, or a glob')
    .option('-t, --state <letters>', 'show only tasks in these states, such as D or DR')
    .option('-a, --all', 'show idle kernel threads too')
    .option('-w, --watch', 'of a running guest: refresh each second until interrupted')
    .option('--json', 'print JSON; with --watch, one line each second')
    .action(async (id, options) => {
      const { stacks } = await import('./stacks.js');
      done(await stacks(id, options, globals()));
    });
}

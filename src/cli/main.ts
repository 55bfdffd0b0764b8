#!/usr/bin/env node
/** Verbs and their options. Each verb is one file, loaded when it is called, and returns its exit code. */
import { Command } from '@commander-js/extra-typings';
import type { FindKnown } from '../core/config/known.js';
import { VERSION } from '../io/version.js';
import { completionCommand } from './completion.js';
import { configCommands } from './config-commands.js';
import { EXIT, EXIT_CODES, type Globals, withConfig } from './globals.js';
import { installCommands } from './install-commands.js';
import { manCommand } from './man.js';
import { memoryCommands } from './memory-commands.js';
import { withOwnLetters } from './own-letters.js';
import { surviveClosedPipes } from './pipes.js';
import { processTerminal } from './print.js';
import { errorCode } from '../io/archive/directory.js';
import { archiveRoot } from '../io/paths.js';
import { chooseSystem } from '../io/scope.js';

surviveClosedPipes();
const terminal = processTerminal();
const done = (code: number): void => void (process.exitCode = code);

const CI_OPTION = 'write for github, gitlab, jenkins or plain; default: for the system that runs it';

const program = new Command('wedgewatch')
  .description(
    'Watch QEMU guests; when one is wedged, dump its stacks, say where it is stuck, and archive the evidence.',
  )
  .version(VERSION)
  .option('-c, --config <file>', 'configuration file (default: $XDG_CONFIG_HOME/wedgewatch/config.yaml)')
  .option('-q, --quiet', 'print only results, warnings and errors')
  .option('--system', 'guests of system units, as root (default: those of this user)')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'wedgewatch: ')) })
  .showHelpAfterError('(wedgewatch --help lists the verbs)')
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  })
  .addHelpText(
    'after',
    `\nExit codes:\n${EXIT_CODES.map(([code, says]) => `  ${String(code).padEnd(4)}${says}`).join('\n')}`,
  );

program.on('option:system', () => {
  if (!chooseSystem()) program.error('--system is for root');
});
const globals = (): Globals => {
  const { config = null, quiet = false } = program.opts();
  return { config, quiet, terminal };
};
const inArchive = (verb: (root: string) => Promise<number>): Promise<number> =>
  withConfig(globals(), (config) => verb(archiveRoot(config)));
/** As `inArchive`, with what is known of a hang. */
const withKnown = (verb: (root: string, find: FindKnown) => Promise<number>): Promise<number> =>
  withConfig(globals(), async (config) => {
    const { readKnown } = await import('../io/known-file.js');
    const { find, problems } = await readKnown(config);
    const { tellProblems } = await import('./config.js');
    tellProblems(problems, terminal.err);
    return verb(archiveRoot(config), find);
  });

program
  .command('run')
  .description(
    'Run the daemon, which watches all guests of this user, or of the system. wedgewatch.service starts it.',
  )
  .action(async () => {
    const { run } = await import('./run.js');
    done(await run(globals()));
  });

program
  .command('status [vm]')
  .description('Show what the running daemon knows about each guest, and why.')
  .option('-w, --watch', 'refresh each second, with the load of vCPUs and disks, until interrupted')
  .option('--json', 'print JSON; with --watch, one line each second')
  .action(async (vm, options) => {
    const { status } = await import('./status.js');
    done(await status(vm, options, globals()));
  });

program
  .command('wait <vm>')
  .description('Wait until the guest is up, or until a hang of it is filed (exit code 1).')
  .requiredOption('--until <what>', 'the state to wait for: hang or up')
  .option('--timeout <duration>', 'give up after this time, with exit code 124', '5min')
  .option('--json', 'print the final status as JSON')
  .action(async (vm, options) => {
    const { waitFor } = await import('./wait.js');
    done(await waitFor(vm, options, globals()));
  });

program
  .command('guard')
  .description(
    'Watch while a command runs; when a guest hangs, end it, print the verdict, write it for CI, exit 1.',
  )
  .argument('[vms...]', 'watch these guests only; then -- and the command')
  .usage('[options] [vms...] -- <command> [arguments...]')
  .option('--qmp <socket>', 'QMP socket of a guest that discovery does not find; with --console')
  .option('--console <file>', 'file that its console is written to; with --qmp')
  .option('--grace <duration>', 'time from SIGTERM to SIGKILL for a command that is ended', '10s')
  .option('--ci <form>', CI_OPTION)
  .option(
    '--artifacts <dir>',
    'write junit.xml, summary.md and the evidence into this directory (in CI: wedgewatch-report)',
  )
  .action(async (operands, options) => {
    const at = process.argv.indexOf('--');
    const command = at === -1 ? [] : process.argv.slice(at + 1);
    const { guard } = await import('./guard.js');
    done(await guard(operands.slice(0, operands.length - command.length), command, options, globals()));
  });

program
  .command('list')
  .description('List the incidents, newest last.')
  .option('--since <when>', 'show only incidents since then: a duration such as 2h, or an ISO date')
  .option('--vm <name>', 'show only incidents of this VM')
  .option('--fingerprint <prefix>', 'show only this hang')
  .option(
    '--all <directories...>',
    'count the hangs in these archives, each of one host or with a directory for each',
  )
  .option('--json', 'print JSON')
  .action(async (options) => {
    const { all, ...filters } = options;
    const { listIncidents } = await import('./list.js');
    const { listFleet } = await import('./list-all.js');
    const list = (root: string, find: FindKnown) =>
      all === undefined
        ? listIncidents(root, filters, terminal, Date.now(), find)
        : listFleet(all, filters, terminal, Date.now(), find);
    done(await withKnown(list));
  });

program
  .command('show [id]')
  .description('Show one incident: verdict, reasons, stacks, paths. Default: the newest.')
  .option('--json', 'print JSON')
  .action(async (id, options) => {
    const { showIncident } = await import('./show.js');
    done(await withKnown((root, find) => showIncident(root, id, options, terminal, find)));
  });

program
  .command('prune')
  .description(
    'Remove incidents beyond the limits of archive in the configuration, as the daemon does each night.',
  )
  .option('-n, --dry-run', 'only list them')
  .option('--trust-clock', 'remove what is too old even if that is more than half of all')
  .option('--json', 'print JSON')
  .action(async (options) => {
    const { prune } = await import('./prune.js');
    done(await prune(options, globals()));
  });

program
  .command('capture <vm>')
  .description('Dump the stacks of a guest now and file them, through the daemon if one runs.')
  .option('--keys <letters>', 'dump with these SysRq keys, in this order, of w t l m p d q (default: wt)')
  .option('--note <text>', 'keep this text with the incident')
  .option('--json', 'print JSON')
  .action(async (vm, options) => {
    const { captureGuest } = await import('./capture.js');
    done(await captureGuest(vm, options, globals()));
  });

program
  .command('analyze')
  .description(
    'Print the verdict on any console log, gzipped or not, or memory image; needs no guest and no daemon.',
  )
  .argument(
    '[files...]',
    'console logs, or ELF images of dump-guest-memory, virsh dump --memory-only or kdump; - or none for standard input',
  )
  .option('--vmlinux <file>', 'show file and line in stacks, from this kernel image with debug information')
  .option('--ci <form>', CI_OPTION)
  .option('--artifacts <dir>', 'write junit.xml and summary.md into this directory')
  .option('--json', 'print the whole analysis as JSON; an array for several files')
  .action(async (files, options) => {
    const { runAnalyze } = await import('./analyze.js');
    const { out, err } = terminal;
    done(await runAnalyze(files, options, { in: process.stdin.isTTY ? null : process.stdin, out, err }));
  });

memoryCommands(program, globals, done);

program
  .command('diff <before> <after>')
  .description(
    'Compare the stacks of two incidents (ID, ID:w.1, a directory) or console logs: came, went, stayed.',
  )
  .option('-a, --all', 'show idle kernel threads too')
  .option('--json', 'print JSON')
  .action(async (before, after, options) => {
    const { showDiff } = await import('./diff.js');
    done(await inArchive((root) => showDiff(root, [before, after], options, terminal)));
  });

program
  .command('export [id]')
  .description('Export an incident (the newest without an ID) in one form.')
  .option('--github', 'write Markdown for an issue')
  .option('--junit', 'write a JUnit report with one failed test')
  .option('--mail', 'write plain text')
  .option('--tar', 'write its directory as .tar.gz')
  .option('--speedscope', 'write its stacks for https://www.speedscope.app')
  .option('--json', 'write its incident.json')
  .option('-o, --output <file>', 'write to this file instead of standard output')
  .action(async (id, options) => {
    const { exportIncident } = await import('./export.js');
    done(await withKnown((root, find) => exportIncident(root, id, options, terminal, process.stdout, find)));
  });

completionCommand(program, terminal.out);
manCommand(program, terminal.out);

program
  .command('replay [records...]')
  .description(
    'Show what wedgewatch would have noticed, when and why, in incidents, timelines, console logs with times, or the journal.',
  )
  .option('--journal', 'replay the consoles in the journal')
  .option('--since <when>', 'with --journal, start there: a time as journalctl takes it (default: yesterday)')
  .option('--vm <name>', 'replay only this VM; for a log, use the settings of this VM')
  .option('--explain <time>', 'show the state at that time, and its evidence')
  .option('--json', 'print JSON')
  .action(async (records, options) => {
    const { replayCommand } = await import('./replay.js');
    done(await replayCommand(records, options, globals()));
  });

program
  .command('doctor [vm]')
  .description('Check the whole path from journal to keyboard, and name each fix.')
  .option('--json', 'print JSON')
  .action(async (vm, options) => {
    const { doctor } = await import('./doctor.js');
    done(await doctor(vm, options, globals()));
  });

installCommands(program, terminal, done);

configCommands(program, globals, terminal, done);

program
  .command('demo')
  .description(
    'Boot a real guest, wedge it, catch it, and print the verdict. Installs what it needs through apt.',
  )
  .option('--mode <mode>', 'kind of wedge: job (a page-in and SSH hang) or exec (only execs hang)', 'job')
  .option('--append <words>', 'append to the kernel command line, such as quiet', '')
  .option('--json', 'print the result as JSON, all else on standard error')
  .action(async (options) => {
    const { demo } = await import('./demo.js');
    done(await demo(options, globals()));
  });

const words = withOwnLetters(program, process.argv.slice(2));
await program.parseAsync(words, { from: 'user' }).catch((error: unknown) => {
  const bug = error instanceof Error && errorCode(error) === null ? error.stack : null;
  terminal.err(`wedgewatch: ${bug ?? String(error)}\n`);
  // Not 1, which says that a hang was found.
  process.exitCode = EXIT.environment;
});

#!/usr/bin/env node
/** Verbs and their options. Each verb is a file that returns its exit code. */
import { Command } from '@commander-js/extra-typings';
import { VERSION } from '../io/version.js';
import { analyzeCommand } from './analyze.js';
import { captureGuest } from './capture.js';
import { completionCommand } from './completion.js';
import { configCheck, configSchemaText, configShow } from './config.js';
import { demo } from './demo.js';
import { diffCommand } from './diff.js';
import { doctor } from './doctor.js';
import { exportCommand } from './export.js';
import { EXIT, type Globals, withConfig } from './globals.js';
import { listIncidents } from './list.js';
import { surviveClosedPipes } from './pipes.js';
import { processTerminal } from './print.js';
import { prune } from './prune.js';
import { replayCommand } from './replay.js';
import { run } from './run.js';
import { showIncident } from './show.js';
import { stacksCommand } from './stacks.js';
import { status } from './status.js';
import { waitFor } from './wait.js';
import { errorCode } from '../io/archive/directory.js';
import { archiveRoot } from '../io/places.js';

surviveClosedPipes();
const terminal = processTerminal();
const done = (code: number) => {
  process.exitCode = code;
};

const program = new Command('wedgewatch')
  .description(
    'Notices wedged QEMU guests, makes them print their stacks, says where they are stuck, and files it.',
  )
  .version(VERSION)
  .option('-c, --config <file>', 'configuration file (default: $XDG_CONFIG_HOME/wedgewatch/config.yaml)')
  .option('-q, --quiet', 'print only what was asked for, warnings and errors')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'wedgewatch: ')) })
  .showHelpAfterError('(wedgewatch --help shows the verbs)')
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  })
  .addHelpText(
    'after',
    `
Exit codes: 0 fine; 1 a hang was found; 2 usage or a bad configuration; 3 no match; 4 an incident with incomplete
evidence; 5 an environment or daemon problem; 124 timeout.`,
  );

const globals = (): Globals => {
  const { config = null, quiet = false } = program.opts();
  return { config, quiet, terminal };
};

program
  .command('run')
  .description('The daemon: watches all guests of this user. Normally started by wedgewatch.service.')
  .action(async () => done(await run(globals())));

program
  .command('status [vm]')
  .description('What the running daemon knows of each guest, and why.')
  .option('-w, --watch', 'again each second, with the load of vCPUs and disks, until interrupted')
  .option('--json', 'as JSON; with --watch a line each second')
  .action(async (vm, options) => done(await status(vm, options, globals())));

program
  .command('wait <vm>')
  .description('Waits until the guest is up, or a hang of it was filed (then exit code 1).')
  .requiredOption('--until <what>', 'hang or up')
  .option('--timeout <duration>', 'then exit code 124', '5min')
  .option('--json', 'the status at the end as JSON')
  .action(async (vm, options) => done(await waitFor(vm, options, globals())));

program
  .command('list')
  .description('The incidents, newest last.')
  .option('--since <when>', 'a duration such as 2h, or an ISO date')
  .option('--vm <name>', 'of this VM only')
  .option('--fingerprint <prefix>', 'of this hang only')
  .option('--json', 'as JSON')
  .action(async (options) =>
    done(
      await withConfig(globals(), (config) =>
        listIncidents(archiveRoot(config), options, terminal, Date.now()),
      ),
    ),
  );

program
  .command('show [id]')
  .description('One incident: the verdict, the reasons, the groups, the paths. Default: the newest.')
  .option('--json', 'as JSON')
  .action(async (id, options) =>
    done(await withConfig(globals(), (config) => showIncident(archiveRoot(config), id, options, terminal))),
  );

program
  .command('prune')
  .description('Remove the incidents beyond the limits of archive in the configuration, as the daemon does.')
  .option('-n, --dry-run', 'only say which')
  .option('--json', 'as JSON')
  .action(async (options) => done(await prune(options, globals())));

program
  .command('capture <vm>')
  .description('Dump the stacks of a guest now and file them, through the daemon where it runs.')
  .option('--keys <letters>', 'the SysRq dumps to ask for, in this order: w t l m p d q (default: wt)')
  .option('--note <text>', 'kept with the incident')
  .option('--json', 'as JSON')
  .action(async (vm, options) => done(await captureGuest(vm, options, globals())));

analyzeCommand(program, done);
stacksCommand(program, globals, done);
diffCommand(program, globals, done);
exportCommand(program, globals, done);
completionCommand(program, terminal.out);

program
  .command('replay [records...]')
  .description(
    'What would have been noticed, when and why: over incidents, timelines, console logs with times, or the journal.',
  )
  .option('--journal', 'over the consoles in the journal')
  .option('--since <when>', 'as journalctl takes it (default: yesterday)')
  .option('--vm <name>', 'of this VM only; for a log, whose settings hold')
  .option('--explain <time>', 'the state at that time, and the evidence it stands on')
  .option('--json', 'as JSON')
  .action(async (records, options) => done(await replayCommand(records, options, globals())));

program
  .command('doctor [vm]')
  .description('Checks the whole path from journal to keyboard and names each fix.')
  .option('--json', 'as JSON')
  .action(async (vm, options) => done(await doctor(vm, options, globals())));

const config = program
  .command('config')
  .description('The configuration: check it, its schema, what is in force.');
const configOptions = (json: boolean | undefined, file: string | undefined) => {
  const { config: global, quiet } = globals();
  return { file: file ?? global, json: json ?? false, quiet, out: terminal.out, err: terminal.err };
};
config
  .command('check [file]')
  .description('Name every problem of a configuration file.')
  .option('--json', 'as JSON')
  .action(async (file, options) => done(await configCheck(configOptions(options.json, file))));
config
  .command('schema')
  .description('The JSON Schema of the file, for editors.')
  .option('--json', 'it is JSON in any case')
  .action(() => done(configSchemaText(terminal)));
config
  .command('show [vm]')
  .description('What is in force, for all or for one VM.')
  .option('--json', 'as JSON')
  .action(async (vm, options) =>
    done(await configShow({ ...configOptions(options.json, undefined), vm: vm ?? null })),
  );

program
  .command('demo')
  .description(
    'Boot a real guest, wedge it, catch it, and print the verdict. Fetches what it needs through apt.',
  )
  .option('--mode <mode>', 'job: a page-in and SSH hang; exec: only execs hang', 'job')
  .option('--append <words>', 'more of the kernel command line, such as quiet', '')
  .option('--json', 'the end as JSON, the rest on standard error')
  .action(async (options) => done(await demo(options, globals())));

await program.parseAsync().catch((error: unknown) => {
  const bug = error instanceof Error && errorCode(error) === null ? error.stack : null;
  terminal.err(`wedgewatch: ${bug ?? String(error)}\n`);
  // Not 1, which says that a hang was found.
  process.exitCode = EXIT.environment;
});

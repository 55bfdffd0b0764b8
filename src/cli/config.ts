/** `wedgewatch config check, schema, show`. Each returns its exit code. */
import { stringify } from 'yaml';
import { vmNameProblem } from '../core/vm-name.js';
import { guestSettings } from '../core/config/guest-settings.js';
import { configJsonSchema } from '../core/config/json-schema.js';
import { type ConfigProblem, formatProblem } from '../core/config/problem.js';
import type { Config } from '../core/config/schema.js';
import { writtenConfig, writtenGuest, writtenSettings } from '../core/config/written.js';
import { safeJson } from '../core/report/json.js';
import { findConfig, loadConfig } from '../io/config-file.js';
import { readKnown } from '../io/known-file.js';
import { qmpDirectory } from '../io/paths.js';

interface ConfigOptions {
  /** Of `--config` or the argument; null for the default place. */
  file: string | null;
  json: boolean;
  quiet: boolean;
  out: (text: string) => void;
  err: (text: string) => void;
}

const OK = 0;
const BAD_CONFIG = 2;

/** Tells what is wrong with the configuration, a problem a line. */
export function tellProblems(problems: readonly ConfigProblem[], err: (text: string) => void): void {
  for (const problem of problems) err(`wedgewatch: ${formatProblem(problem)}\n`);
}

/** Prints every problem of the file and of its lists of known hangs, one a line; `--json` prints them as a list, empty if there is none. */
export async function configCheck({ file, json, quiet, out }: ConfigOptions): Promise<number> {
  const found = findConfig(file);
  const loaded = await loadConfig(found);
  const problems = loaded.ok ? (await readKnown(loaded.config)).problems : loaded.problems;
  if (json) out(`${safeJson(problems, 2)}\n`);
  else if (problems.length > 0) out(problems.map((problem) => `${formatProblem(problem)}\n`).join(''));
  else if (!quiet)
    out(loaded.text === null ? `${found.path}: no such file, all defaults\n` : `${found.path}: ok\n`);
  return problems.length === 0 ? OK : BAD_CONFIG;
}

/** Prints the JSON Schema of the file. */
export function configSchemaText({ out }: Pick<ConfigOptions, 'out'>): number {
  out(`${safeJson(configJsonSchema(), 2)}\n`);
  return OK;
}

/**
 * Prints what is in force, for all or for one VM, whether or not such a VM exists. The text is a configuration that can
 * be read back; durations are spelled as in the file, with `--json` too.
 */
export async function configShow(options: ConfigOptions & { vm: string | null }): Promise<number> {
  const { file, json, vm, out, err } = options;
  const nameProblem = vm === null ? null : vmNameProblem(vm);
  if (nameProblem !== null) {
    err(`wedgewatch: not the name of a VM: ${nameProblem}\n`);
    return BAD_CONFIG;
  }
  const loaded = await loadConfig(findConfig(file));
  if (!loaded.ok) {
    tellProblems(loaded.problems, err);
    return BAD_CONFIG;
  }
  const shown = vm === null ? writtenConfig(loaded.config) : ofGuest(loaded.config, vm, json);
  out(json ? `${safeJson(shown, 2)}\n` : stringify(shown, { singleQuote: true, lineWidth: 0 }));
  return OK;
}

function ofGuest(config: Config, vm: string, json: boolean): object {
  const settings = guestSettings(config, vm, { qmpDirectory: qmpDirectory() });
  return json ? writtenSettings(settings) : writtenGuest(settings);
}

/** The lists of known hangs: a file, or a directory of them such as a clone of a team's repository. */
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type FindKnown,
  type KnownEntry,
  knownFinder,
  type ParsedKnown,
  parseKnown,
} from '../core/config/known.js';
import type { ConfigProblem } from '../core/config/problem.js';
import type { Config } from '../core/config/schema.js';
import { errorCode, faultText } from './archive/directory.js';
import { fileProblem, findConfig, readYamlText } from './config-file.js';

const FILES_MAX = 200;
const DEFAULT_FILE = 'known.yaml';

interface KnownHangs {
  find: FindKnown;
  /** A file with a problem is left out as a whole. */
  problems: ConfigProblem[];
}

/** Where the lists are: `known` of the configuration, else known.yaml beside the default configuration, if there is one. */
export function knownPath(
  config: Pick<Config, 'known'>,
  env: NodeJS.ProcessEnv = process.env,
): { path: string; required: boolean } {
  if (config.known !== null) return { path: config.known.replace(/^~(?=\/)/, homedir()), required: true };
  return { path: join(dirname(findConfig(null, env).path), DEFAULT_FILE), required: false };
}

/** Reads them all; of a directory each *.yaml, in the order of their names. Never rejects. */
export async function readKnown(
  config: Pick<Config, 'known'>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<KnownHangs> {
  const { path, required } = knownPath(config, env);
  const entries: KnownEntry[] = [];
  const problems: ConfigProblem[] = [];
  const files = await filesAt(path).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT' || required) problems.push(fileProblem(path, faultText(error)));
    return [];
  });
  for (const file of files) {
    const parsed = await readOne(file);
    if (parsed.ok) entries.push(...parsed.entries);
    else problems.push(...parsed.problems);
  }
  return { find: knownFinder(entries), problems };
}

async function filesAt(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
  if (names.length > FILES_MAX) throw new Error(`it holds more than ${FILES_MAX} lists. Fix: join some`);
  return names.map((name) => join(path, name));
}

const readOne = (file: string): Promise<ParsedKnown> =>
  readYamlText(file, 'list of known hangs').then(
    (text) => parseKnown(text, file),
    (error: unknown) => ({ ok: false, problems: [fileProblem(file, faultText(error))] }),
  );

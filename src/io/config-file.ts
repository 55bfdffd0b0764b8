/** The configuration file: where it is, what it says, and when it changes. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { parseConfig, type ParsedConfig } from '../core/config/parse-config.js';
import type { ConfigProblem } from '../core/config/problem.js';
import { ownScope } from './scope.js';

export interface ConfigFile {
  path: string;
  /** Named by the user: it must exist. */
  required: boolean;
}

/** `text` is null if there is no file; it shows a later reader what was already read. */
type LoadedConfig = ParsedConfig & { text: string | null };

const MAX_BYTES = 1024 * 1024;

/** The file of `--config`, else of the system /etc/wedgewatch/config.yaml, of a user that in $XDG_CONFIG_HOME. */
export function findConfig(explicit: string | null, env: NodeJS.ProcessEnv = process.env): ConfigFile {
  if (explicit !== null) return { path: resolve(explicit), required: true };
  const xdg = env['XDG_CONFIG_HOME'] ?? '';
  // The base directory specification: a relative path is to be ignored.
  const own = isAbsolute(xdg) ? xdg : join(homedir(), '.config');
  const base = ownScope(env) === 'system' ? '/etc' : own;
  return { path: join(base, 'wedgewatch', 'config.yaml'), required: false };
}

/** Reads and checks the file; a default file that does not exist is all defaults. Nothing is thrown. */
export async function loadConfig({ path, required }: ConfigFile): Promise<LoadedConfig> {
  try {
    const text = await readYamlText(path, 'configuration');
    return { ...parseConfig(text, path), text };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' && !required) return { ...parseConfig('', path), text: null };
    const reason = error instanceof Error ? error.message : String(error);
    const message = code === 'ENOENT' ? 'no such file; name another one, or leave out --config' : reason;
    return { ok: false, problems: [fileProblem(path, message)], text: null };
  }
}

/** A problem of the file as a whole. */
export function fileProblem(path: string, message: string): ConfigProblem {
  return { file: path, position: null, path: '', found: null, message };
}

/** The text of a file that people write; `what` it is goes into the errors that are thrown. */
export async function readYamlText(path: string, what: string): Promise<string> {
  // Without O_NONBLOCK the open of a FIFO would wait for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error('not a regular file');
    if (stat.size > MAX_BYTES) throw new Error(`longer than 1 MiB: this is no ${what}`);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MAX_BYTES) });
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
  } catch (error) {
    if (error instanceof TypeError) throw new Error(`not UTF-8: the ${what} is text`, { cause: error });
    throw error;
  } finally {
    await file.close();
  }
}

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { call, CallError, succeeds } from './call.js';

export interface ProgressOptions {
  /** Takes one line a step, for a person who waits. */
  log: (line: string) => void;
  signal?: AbortSignal | undefined;
}

const aptTimeoutMs = 600_000;
const aptOptions = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3'];
const noQuestions = 'DEBIAN_FRONTEND=noninteractive';

async function asRoot(args: string[], handLine: string, signal: AbortSignal | undefined): Promise<void> {
  const command = ['env', noQuestions, 'apt-get', ...aptOptions, ...args];
  const options = { timeoutMs: aptTimeoutMs, signal };
  if (process.getuid?.() === 0) {
    await call('env', command.slice(1), options);
  } else if (await succeeds('sudo', ['-n', 'true'], signal)) {
    await call('sudo', ['-n', ...command], options);
  } else {
    throw new Error(
      `This needs root, and sudo is not there or asks for a password. Please run:\n  ${handLine}`,
    );
  }
}

/** Runs it; if it fails, fetches apt's lists, which may be missing or stale, and runs it once more. */
async function withFreshLists<T>(action: () => Promise<T>, options: ProgressOptions): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    options.log("Fetching apt's package lists");
    await asRoot(['update'], 'sudo apt-get update', options.signal);
    return await action();
  }
}

async function isInstalled(name: string, signal: AbortSignal | undefined): Promise<boolean> {
  const query = ['--show', '--showformat=${db:Status-Status}', name];
  try {
    return (await call('dpkg-query', query, { timeoutMs: 10_000, signal })) === 'installed';
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    if (error.exitCode === 1) return false;
    throw new Error(`Debian 12 or 13 is needed here: ${error.message}`, { cause: error });
  }
}

/**
 * Installs those of the Debian packages that are missing, without recommended ones, as root or by `sudo -n`.
 * @throws Error with the line to run by hand where neither works; CallError with apt's output
 */
export async function installPackages(names: readonly string[], options: ProgressOptions): Promise<void> {
  const missing: string[] = [];
  for (const name of names) if (!(await isInstalled(name, options.signal))) missing.push(name);
  if (missing.length === 0) return;
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  const handLine = `sudo apt-get update && sudo apt-get ${install.join(' ')}`;
  options.log(`Installing ${missing.join(', ')}`);
  await withFreshLists(() => asRoot(install, handLine, options.signal), options);
}

/** The package of that pattern which a metapackage depends on. */
export async function dependencyOf(name: string, pattern: RegExp, options: ProgressOptions): Promise<string> {
  const ask = () => call('apt-cache', ['depends', name], { timeoutMs: 30_000, signal: options.signal });
  const text = await withFreshLists(ask, options);
  const found = text.split('\n').flatMap((line) => /Depends: (\S+)/.exec(line)?.[1] ?? []);
  const dependency = found.find((candidate) => pattern.test(candidate));
  if (dependency === undefined) throw new Error(`apt names no package behind ${name}:\n${text}`);
  return dependency;
}

/**
 * Downloads Debian packages, as any user, and unpacks them into `directory`; nothing is installed.
 * @throws CallError with apt's output, e.g. without network
 */
export async function unpackPackages(
  names: readonly string[],
  directory: string,
  options: ProgressOptions,
): Promise<void> {
  const { signal } = options;
  const downloads = join(directory, 'var/downloads');
  await mkdir(downloads, { recursive: true });
  const download = ['-o', 'APT::Sandbox::User=', ...aptOptions, 'download', ...names];
  await withFreshLists(
    () => call('apt-get', download, { timeoutMs: aptTimeoutMs, signal, cwd: downloads }),
    options,
  );
  for (const archive of await readdir(downloads)) {
    await call('dpkg-deb', ['--extract', join(downloads, archive), directory], {
      timeoutMs: 120_000,
      signal,
    });
  }
}

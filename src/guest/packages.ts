import { mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { call, CallError, succeeds } from './call.js';

export interface ProgressOptions {
  /** Takes one line per step, for a person who waits. */
  log: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** Where apt-get and apt-cache look packages up. */
export interface Archives {
  /** More arguments of each call. */
  options: readonly string[];
  /** Fetches the package lists. */
  refresh: (options: ProgressOptions) => Promise<unknown>;
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
    throw new Error(`This needs root, and sudo is missing or asks for a password. Run:\n  ${handLine}`);
  }
}

/** The packages that this host's apt knows. */
export const hostArchives: Archives = {
  options: [],
  refresh: ({ signal }) => asRoot(['update'], 'sudo apt-get update', signal),
};

/** Runs it; if it fails, fetches apt's lists, which may be missing or stale, and runs it once more. */
async function withFreshLists<T>(
  action: () => Promise<T>,
  options: ProgressOptions,
  archives = hostArchives,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    options.log("Fetching apt's package lists");
    await archives.refresh(options);
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
 * Installs the missing ones of these Debian packages, without recommended ones, as root or through `sudo -n`.
 * @throws Error with the command to run by hand if neither works; CallError with apt's output
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

async function dependenciesOf(name: string, options: ProgressOptions, archives: Archives): Promise<string[]> {
  const depends = [...archives.options, 'depends', name];
  const ask = () => call('apt-cache', depends, { timeoutMs: 30_000, signal: options.signal });
  const text = await withFreshLists(ask, options, archives);
  return text.split('\n').flatMap((line) => /Depends: (\S+)/.exec(line)?.[1] ?? []);
}

/**
 * The package of that pattern which a metapackage depends on.
 * @throws CallError if apt does not know the metapackage
 */
export async function dependencyOf(
  name: string,
  pattern: RegExp,
  options: ProgressOptions,
  archives = hostArchives,
): Promise<string> {
  const found = await dependenciesOf(name, options, archives);
  const dependency = found.find((candidate) => pattern.test(candidate));
  if (dependency === undefined)
    throw new Error(`apt names no package behind ${name}, only: ${found.join(', ')}`);
  return dependency;
}

/**
 * The packages of one kernel, linux-image-RELEASE being the first. From Debian's 7.0 on that one is empty, and its
 * parts are in others, which it depends on: linux-base-, linux-binary- and linux-modules-RELEASE.
 */
export async function kernelPackages(
  image: string,
  options: ProgressOptions,
  archives = hostArchives,
): Promise<string[]> {
  const ending = image.replace('linux-image', '');
  const names = [image];
  for (const name of names) {
    const needed = await dependenciesOf(name, options, archives);
    const parts = needed.filter((part) => part.startsWith('linux-') && part.endsWith(ending));
    names.push(...parts.filter((part) => !names.includes(part)));
  }
  return names;
}

/** What modules for the kernel of that release are built with, without the compiler. */
export async function headerPackages(release: string, options: ProgressOptions): Promise<string[]> {
  const headers = `linux-headers-${release}`;
  const needed = await dependenciesOf(headers, options, hostArchives);
  return [headers, ...needed.filter((name) => /^linux-(?:headers|kbuild)-/.test(name))];
}

/**
 * Downloads Debian packages, as any user, and unpacks them into `directory`; nothing is installed.
 * @throws CallError with apt's output, e.g. without network
 */
export async function unpackPackages(
  names: readonly string[],
  directory: string,
  options: ProgressOptions,
  archives = hostArchives,
): Promise<void> {
  const { signal } = options;
  await mkdir(join(directory, 'var'), { recursive: true });
  const downloads = await mkdtemp(join(directory, 'var/downloads-'));
  const download = ['-o', 'APT::Sandbox::User=', ...aptOptions, ...archives.options, 'download', ...names];
  await withFreshLists(
    () => call('apt-get', download, { timeoutMs: aptTimeoutMs, signal, cwd: downloads }),
    options,
    archives,
  );
  for (const archive of await readdir(downloads)) {
    await call('dpkg-deb', ['--extract', join(downloads, archive), directory], {
      timeoutMs: 120_000,
      signal,
    });
  }
}

import { existsSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { call } from './call.js';
import type { Archives, ProgressOptions } from './packages.js';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const aptTimeoutMs = 600_000;
const freshMs = 24 * 3_600_000;

/** Experimental too counts like any other, so that the highest version is the candidate. */
const preferences = 'Package: *\nPin: release n=*\nPin-Priority: 500\n';

/** Where this host's apt takes Debian from. @throws Error if it has no list of it */
async function mirror(signal: AbortSignal | undefined): Promise<string> {
  const debian = ['Identifier: Packages', 'Origin: Debian', 'Label: Debian'];
  const ask = ['indextargets', '--format', '$(SITE)', ...debian];
  const [site] = (await call('apt-get', ask, { timeoutMs: 30_000, signal })).split('\n');
  if (site === undefined || site === '')
    throw new Error('This host has no list of Debian packages yet. Run:\n  sudo apt-get update');
  return site;
}

/** Lets one process at a time change the lists: apt would not wait for another. */
function fetchLists(directory: string, options: readonly string[], signal: AbortSignal | undefined) {
  const update = ['apt-get', ...options, '-oAPT::Update::Error-Mode=any', 'update'];
  return call('flock', [join(directory, 'lock'), ...update], { timeoutMs: aptTimeoutMs, signal });
}

/**
 * Other suites of Debian than this host's, from the mirror that its apt uses, of this host's architecture if none is named.
 * All that apt writes lies in `directory`, its lists a day at most; it leaves the host's own apt alone. Works for any user.
 * @throws Error without a mirror; CallError if it cannot be reached
 */
export async function suiteArchives(
  directory: string,
  suites: readonly string[],
  progress: ProgressOptions,
  architecture?: 'arm64',
): Promise<Archives> {
  const [lists, cache] = [join(directory, 'lists'), join(directory, 'cache')];
  for (const path of [lists, cache]) await mkdir(join(path, 'partial'), { recursive: true });
  const site = await mirror(progress.signal);
  const sources = suites.map((suite) => `deb [signed-by=${keyring}] ${site} ${suite} main\n`);
  await writeFile(join(directory, 'sources.list'), sources.join(''));
  await writeFile(join(directory, 'preferences'), preferences);
  const options = [
    `-oDir::Etc::SourceList=${join(directory, 'sources.list')}`,
    '-oDir::Etc::SourceParts=/dev/null',
    `-oDir::Etc::Preferences=${join(directory, 'preferences')}`,
    '-oDir::Etc::PreferencesParts=/dev/null',
    `-oDir::State::Lists=${lists}`,
    '-oDir::State::Status=/dev/null', // what is installed here would be a candidate too
    `-oDir::Cache=${cache}`,
    '-oAPT::Default-Release=',
    '-oAPT::Sandbox::User=',
    '-oAcquire::Languages=none',
    '-oAcquire::Check-Valid-Until=false', // a mirror may be a snapshot of some day
    ...(architecture === undefined
      ? []
      : [`-oAPT::Architecture=${architecture}`, `-oAPT::Architectures=${architecture}`]),
  ];
  const stamp = join(directory, 'refreshed');
  const refresh = async ({ signal }: ProgressOptions) => {
    await fetchLists(directory, options, signal);
    await writeFile(stamp, '');
  };
  if (!existsSync(stamp) || Date.now() - (await stat(stamp)).mtimeMs > freshMs) {
    progress.log(`Fetching the package lists of ${suites.join(' and ')}`);
    await refresh(progress);
  }
  return { options, refresh };
}

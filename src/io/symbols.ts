/** File and line of the frames, by binutils and a kernel image with debug information, as decode_stacktrace.sh does. */
import { access, constants } from 'node:fs/promises';
import { addressesOf, readSourceLines, withSources } from '../core/analysis/sources.js';
import type { Analysis } from '../core/model.js';
import { monotonicMs } from './clock.js';
import { runGroup } from './process-group.js';

/** A kernel's table has some 200,000 symbols. */
const TABLE_MAX = 64 << 20;
const LINES_MAX = 16 << 20;

interface Symbolised<Of> {
  /** As it was, where there is a problem. */
  analysis: Of;
  /** One sentence with the cause and the fix. */
  problem: string | null;
}

/**
 * Adds `source` to the frames of the kernel itself; frames of modules stay, and so do verdict and fingerprint. Never
 * throws; on a problem it returns the analysis unchanged. Takes `timeoutMs` at most.
 */
export async function symbolise<Of extends Analysis>(
  analysis: Of,
  vmlinux: string,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
): Promise<Symbolised<Of>> {
  const problem = (why: string) => ({ analysis, problem: `no source lines: ${why}` });
  const until = monotonicMs() + timeoutMs;
  const run = async (tool: string, args: readonly string[], maxOutput: number) => {
    const left = Math.max(1, until - monotonicMs());
    const { exitCode, stdout, stderr, stopped, startFailure } = await runGroup(tool, args, {
      timeoutMs: left,
      signal,
      maxOutput,
      env: { ...process.env, LC_ALL: 'C' },
    });
    if (startFailure === 'ENOENT') return { why: `${tool} is missing. Fix: apt-get install binutils` };
    if (startFailure !== null) return { why: `${tool} does not start: ${startFailure}` };
    if (stopped !== null) return { why: `${tool} on ${vmlinux} did not finish within ${timeoutMs} ms` };
    if (exitCode !== 0) return { why: stderr.trim().split('\n')[0] ?? `${tool} fails on ${vmlinux}` };
    return { text: stdout };
  };
  const unreadable = await readable(vmlinux);
  if (unreadable !== null) return problem(unreadable);
  const table = await run('nm', ['-n', vmlinux], TABLE_MAX);
  if (table.text === undefined) return problem(table.why);
  const found = addressesOf(analysis.dumps, table.text);
  if (!found.ok) return problem(`${vmlinux}: ${found.why}`);
  const { addresses } = found;
  if (addresses.size === 0) return { analysis, problem: null };
  const lines = await run(
    'addr2line',
    ['-a', '-i', '-e', vmlinux, ...new Set(addresses.values())],
    LINES_MAX,
  );
  if (lines.text === undefined) return problem(lines.why);
  const sources = readSourceLines(lines.text);
  if (sources.size === 0)
    return problem(`${vmlinux} has no debug information. Fix: the file of the kernel's debug package`);
  return { analysis: { ...analysis, ...withSources(analysis, addresses, sources) }, problem: null };
}

async function readable(path: string): Promise<string | null> {
  try {
    await access(path, constants.R_OK);
    return null;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    return `${path} cannot be read (${code}). Fix: symbols.vmlinux, or --vmlinux`;
  }
}

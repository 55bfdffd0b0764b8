/** A directory as a tar archive, packed by gzip. */
import { basename, dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';

const DEADLINE_MS = 120_000;

/** Writes it to `target`, which is ended. Throws if tar is missing or fails, with its own words. */
export async function tarTo(directory: string, target: Writable): Promise<void> {
  const tar = execa('tar', ['-C', dirname(directory), '-cz', '--', basename(directory)], {
    stdin: 'ignore',
    buffer: { stdout: false },
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
    reject: false,
  });
  const [{ failed, exitCode, stderr, shortMessage }] = await Promise.all([tar, pipeline(tar.stdout, target)]);
  if (failed)
    throw new Error(exitCode === undefined ? shortMessage : `tar ended with ${exitCode}: ${stderr}`);
}

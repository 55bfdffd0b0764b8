/** A directory as a tar archive, packed by gzip. */
import { spawn } from 'node:child_process';
import { basename, dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const DEADLINE_MS = 120_000;

/** Writes it to `target`, which is ended. Throws if tar is missing or fails, with its own words. */
export async function tarTo(directory: string, target: Writable): Promise<void> {
  const args = ['-C', dirname(directory), '-cz', '--', basename(directory)];
  const child = spawn('tar', args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (said.length < 2000) said += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const [code] = await Promise.all([ended, pipeline(child.stdout, target)]);
  if (code !== 0) throw new Error(`tar ended with ${code ?? 'a signal'}: ${said.trim()}`);
}

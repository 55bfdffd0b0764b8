import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './temporary.js';

/**
 * A directory on a filesystem of its own, gone after the test. Mounting needs root: where a developer is not, null
 * is returned and said aloud; a CI that is not fails.
 */
export async function mountedDirectory(options: string): Promise<string | null> {
  if (process.getuid?.() !== 0) {
    const message = `NOT TESTED: mount -t tmpfs -o ${options} needs root; run this test as root`;
    if (process.env['CI'] !== undefined) throw new Error(message);
    process.stderr.write(`${message}\n`);
    return null;
  }
  const path = await temporaryDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'wedgewatch-test', path]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', path]));
  return path;
}

/** How long a test took, by the record that its suite keeps. */
import { open } from 'node:fs/promises';

/** The newest lines of a record are its last. */
const TAIL = 256 * 1024;

/**
 * Milliseconds that the test took last, by lines of a name and seconds, as `check` of fstests writes them to
 * results/check.time; null if the file does not say, or cannot be read.
 */
export async function readTestTime(path: string, name: string): Promise<number | null> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(TAIL), 0, TAIL, Math.max(0, size - TAIL));
      return secondsOf(buffer.toString('utf8', 0, bytesRead), name);
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

function secondsOf(text: string, name: string): number | null {
  const line = text.split('\n').findLast((one) => one.startsWith(`${name} `));
  const [, seconds] = /^\S+\s+(\d+(?:\.\d+)?)s?\s*$/.exec(line ?? '') ?? [];
  return seconds === undefined ? null : Number(seconds) * 1000;
}

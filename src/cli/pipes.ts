/** The pipes that the process was started with, and a reader who closes them. */
import { EXIT } from './globals.js';

/**
 * A reader that goes away (`| head`) is no fault: the verb goes on in silence, so that its exit code is what it found.
 * Anything else, a full disk above all, ends it with 5.
 */
export function surviveClosedPipes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.stderr.write(`wedgewatch: standard output: ${error.message}\n`);
    process.exit(EXIT.environment);
  });
  // There is nobody left to tell. journald, when it is restarted, closes the daemon's.
  process.stderr.on('error', () => undefined);
}

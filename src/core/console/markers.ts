/** Lines that say in which phase of its life a guest is. */
import { findKernelLine } from '../kernel-lines/find.js';
import { stripPrefix } from './prefix.js';
import { stripPrintk } from './printk.js';

/** The head of the scheduler's tables in a t dump; the `CPU: 0 PID: 1 Comm:` line of a report. */
const RELEASES = [
  /^Sched Debug Version: v[\d.]+, (\d\S*) #\d/,
  /^(?:CPU: .*)?(?:Not tainted|Tainted: [^\d]{1,200}) (\d+\.\d\S*) #\d/,
];
const RELEASE_MAX = 64;
/** x86 says `Command line:` early and every kernel `Kernel command line:` later. */
const COMMAND_LINE = /^(?:Kernel command|Command) line: (.*)$/;

/** Who says that a boot begins, perhaps inside the same QEMU, or null. Firmware and kernel usually both do. */
export function bootMarker(line: string): 'firmware' | 'kernel' | null {
  return findKernelLine(stripPrintk(line).text)?.line.boot ?? null;
}

/** The kernel's command line, where this line tells it. */
export function kernelCommandLine(line: string): string | null {
  return COMMAND_LINE.exec(stripPrintk(line).text)?.[1] ?? null;
}

/** The release in the last line that tells one, null where none does. */
export function kernelOf(lines: readonly string[]): string | null {
  for (const line of lines.toReversed()) {
    const release = kernelRelease(line);
    if (release !== null) return release;
  }
  return null;
}

/** The kernel's release, as `uname -r` says it, where this line tells it. */
export function kernelRelease(line: string): string | null {
  if (!line.includes('Linux version') && !line.includes('Sched Debug') && !line.includes('ainted'))
    return null;
  const { text } = stripPrefix(line);
  const release =
    findKernelLine(text)?.groups['release'] ??
    RELEASES.map((pattern) => pattern.exec(text)?.[1]).find((found) => found !== undefined);
  return release?.slice(0, RELEASE_MAX) ?? null;
}

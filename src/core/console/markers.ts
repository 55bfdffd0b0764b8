/** Lines that say in which phase of its life a guest is. */
import { stripPrefix } from './prefix.js';
import { stripPrintk } from './printk.js';

/** The first words of SeaBIOS, and of OVMF's boot manager. */
const FIRMWARE = /^(?:SeaBIOS \(version |BdsDxe: (?:loading|starting) Boot)/;
const KERNEL = /^Linux version \d/;
/** x86 says `Command line:` early and every kernel `Kernel command line:` later. */
/** The boot's first line; the head of the scheduler's tables in a t dump; the `CPU: 0 PID: 1 Comm:` line of a report. */
const RELEASES = [
  /^Linux version (\d\S*)/,
  /^Sched Debug Version: v[\d.]+, (\d\S*) #\d/,
  /^(?:CPU: .*)?(?:Not tainted|Tainted: [^\d]{1,200}) (\d+\.\d\S*) #\d/,
];
const RELEASE_MAX = 64;
const COMMAND_LINE = /^(?:Kernel command|Command) line: (.*)$/;

/** Who says that a boot begins, perhaps inside the same QEMU, or null. Firmware and kernel usually both do. */
export function bootMarker(line: string): 'firmware' | 'kernel' | null {
  const { text } = stripPrintk(line);
  if (KERNEL.test(text)) return 'kernel';
  return FIRMWARE.test(text) ? 'firmware' : null;
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
  for (const pattern of RELEASES) {
    const release = pattern.exec(text)?.[1];
    if (release !== undefined) return release.slice(0, RELEASE_MAX);
  }
  return null;
}

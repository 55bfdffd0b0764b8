/** Lines that say in which phase of its life a guest is. */
import { stripPrintk } from './printk.js';

/** The first words of SeaBIOS, of OVMF's boot manager, and of the kernel. */
const BOOT = /^(?:SeaBIOS \(version |BdsDxe: (?:loading|starting) Boot|Linux version \d)/;
/** x86 says `Command line:` early and every kernel `Kernel command line:` later. */
const COMMAND_LINE = /^(?:Kernel command|Command) line: (.*)$/;

/** A boot begins, perhaps inside the same QEMU. Firmware and kernel both say so: twice a boot is usual. */
export function bootStarts(line: string): boolean {
  return BOOT.test(stripPrintk(line).text);
}

/** The kernel's command line, where this line tells it. */
export function kernelCommandLine(line: string): string | null {
  return COMMAND_LINE.exec(stripPrintk(line).text)?.[1] ?? null;
}

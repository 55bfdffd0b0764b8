/** Lines that say in which phase of its life a guest is. */
import { stripPrintk } from './printk.js';

/** The first words of SeaBIOS, and of OVMF's boot manager. */
const FIRMWARE = /^(?:SeaBIOS \(version |BdsDxe: (?:loading|starting) Boot)/;
const KERNEL = /^Linux version \d/;
/** x86 says `Command line:` early and every kernel `Kernel command line:` later. */
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

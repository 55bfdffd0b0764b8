/** CPUs that serve an interrupt. */
import type { Frame } from '../model.js';

/** Where one comes in, on x86 and arm64. */
const ENTRY =
  /^(?:\w*sysvec_\w+|(?:asm_|__)?common_interrupt|do_IRQ|el[01]t?h?_(?:64_|32_)?irq\w*|gic_handle_irq)$/;

/** Whoever serves an interrupt takes none meanwhile, and the next one soon. */
export const servesInterrupt = (frames: readonly Frame[]): boolean =>
  frames.some(({ symbol }) => isInterruptEntry(symbol));

export const isInterruptEntry = (symbol: string): boolean => ENTRY.test(symbol);

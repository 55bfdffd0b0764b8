/** What was found of a kernel, before it is put together. */
import type { PagedSpace } from './address-space.js';
import type { Image } from './image.js';
import type { GuestSymbols } from './kallsyms.js';
import type { Builds, HowFound, Kernel, Ram } from './model.js';

export interface Parts {
  ram: Ram;
  builds: Builds;
  arch: Kernel['arch'];
  found: HowFound['kernel'];
  release: string;
  buildId: string | null;
  noteAt: number | null;
  note: ReadonlyMap<string, bigint>;
  space: PagedSpace;
  symbols: GuestSymbols;
  stext: bigint;
  /** Guest-physical, of an address in the image. */
  imageAt: (va: bigint) => number;
  /** If a note tells. */
  pageOffset: bigint | null;
  vmemmap: bigint | null;
  /** A copy of the image, read when it is asked for; null where there is none. */
  image: () => Image | null;
}

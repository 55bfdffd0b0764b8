/** What `status` calls a guest. */
export const STATE_NAMES = [
  ...([
    'unknown',
    'starting',
    'up',
    'suspect',
    'confirming',
    'capturing',
    'held',
    'recovered',
    'gone',
  ] as const),
  ...(['paused', 'panicked', 'qemu-stuck'] as const),
] as const;

export type StateName = (typeof STATE_NAMES)[number];

const HUNG: ReadonlySet<string> = new Set<StateName>(['held', 'panicked', 'qemu-stuck']);

/** A hang of the guest was found, and is not over. */
export const isHung = (state: string): boolean => HUNG.has(state);

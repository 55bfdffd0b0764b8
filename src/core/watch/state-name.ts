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

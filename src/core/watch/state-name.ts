/** What `status` calls a guest. */
export type StateName =
  | 'unknown'
  | 'starting'
  | 'up'
  | 'suspect'
  | 'confirming'
  | 'capturing'
  | 'held'
  | 'recovered'
  | 'gone'
  | 'paused'
  | 'panicked'
  | 'qemu-stuck';

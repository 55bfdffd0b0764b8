/** Which part of a boot a console line belongs to. Wording: Linux, systemd 240 to 257, initramfs-tools, dracut, NixOS. */
import { bootMarker } from './markers.js';
import { stripPrintk } from './printk.js';

/** In the order of a boot. `up` is said by SSH, never by a line. */
export const PHASES = ['firmware', 'kernel', 'initrd', 'activation', 'userspace', 'up'] as const;
export type Phase = (typeof PHASES)[number];

const ROWS: readonly (readonly [phase: Phase, pattern: RegExp])[] = [
  ['initrd', /^Run \/init as init process/],
  ['initrd', /^<<< .{0,40}Stage 1 >>>/],
  ['initrd', /^Running in (?:initrd|initial RAM disk)\b/],
  ['initrd', /^(?:Loading, please wait|Begin: |dracut(?:-|: ))/],
  ['initrd', /^Welcome to .{0,120}(?:dracut|Initramfs|\(Initrd\))/i],
  ['activation', /^<<< .{0,40}Stage 2 >>>/],
  ['activation', /^Switching root\b/],
  // NixOS activates inside a systemd initrd, or in its second stage.
  ['activation', /^ *Starting NixOS Activation\b/],
  ['activation', /^running activation script/],
  ['userspace', /^Run \/(?:usr\/|s?bin\/)\S* as init process/],
  ['userspace', /^Welcome to /],
  ['userspace', /^starting systemd\b/],
  [
    'userspace',
    /^(?:\[ *OK *\] )?Reached target .{0,20}(?:Local File Systems|Multi-User|Login Prompts|Graphical)/,
  ],
];

/** What a program's words come behind where they were logged: `systemd[1]: `, `initrd-nixos-activation-start[98]: `. */
const LOGGED = /^(?:[\w.@-]{1,64}\[\d{1,7}\]|stage-\d-init): /;

/** Nearly every line of a healthy console stops at this one test. */
const MAYBE =
  /^(?:Run |<<< |Running|Loading|Begin|dracut|Welcome|Switching|running| *[Ss]tarting|\[ *OK|Reached)/;

/** The phase that this line announces, or null for any other line. */
export function phaseIn(line: string): Phase | null {
  const marker = bootMarker(line);
  if (marker !== null) return marker;
  const text = stripPrintk(line).text.replace(LOGGED, '');
  if (!MAYBE.test(text)) return null;
  return ROWS.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
}

/** A boot goes forward: what quotes an earlier phase's words does not take it back. */
export const isLater = (phase: Phase, than: Phase): boolean => PHASES.indexOf(phase) > PHASES.indexOf(than);

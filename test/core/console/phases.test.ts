import { expect, it } from 'vitest';
import { isLater, phaseIn } from '../../../src/core/console/phases.js';

it.each([
  ['firmware', 'SeaBIOS (version 1.16.2-1)'],
  ['kernel', '[    0.000000] Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)'],
  ['initrd', '[    1.203344] Run /init as init process'],
  ['initrd', '<<< NixOS Stage 1 >>>'],
  ['initrd', '[    2.1] systemd[1]: Running in initrd.'],
  ['initrd', 'Loading, please wait...'],
  ['initrd', 'Begin: Running /scripts/local-premount ... done.'],
  ['initrd', 'Welcome to Fedora Linux 41 dracut-103 (Initramfs)!'],
  ['initrd', 'Welcome to NixOS 25.11 (Xantusia) (Initrd)!'],
  ['activation', '<<< NixOS Stage 2 >>>'],
  ['activation', '         Starting NixOS Activation...'],
  ['activation', '[    9.412005] systemd[1]: Starting NixOS Activation...'],
  ['activation', 'initrd-nixos-activation-start[271]: running activation script...'],
  ['activation', '[   11.080311] stage-2-init: running activation script...'],
  ['activation', '[    4.0] systemd[1]: Switching root.'],
  ['activation', 'running activation script...'],
  ['userspace', '[    1.2] Run /sbin/init as init process'],
  ['userspace', 'Welcome to Debian GNU/Linux 12 (bookworm)!'],
  ['userspace', 'Welcome to NixOS 25.11 (Xantusia)!'],
  ['userspace', '[  OK  ] Reached target Multi-User System.'],
])('%s begins with: %s', (phase, line) => {
  expect(phaseIn(line)).toBe(phase);
});

it.each(['[  OK  ] Reached target Basic System.', 'he said: Welcome to', 'Started OpenSSH server.'])(
  'no phase begins with: %s',
  (line) => {
    expect(phaseIn(line)).toBeNull();
  },
);

it('a boot of NixOS with a systemd initrd goes through all its phases', () => {
  const said = [
    'Welcome to NixOS 25.11 (Xantusia) (Initrd)!',
    '         Starting NixOS Activation...',
    'Welcome to NixOS 25.11 (Xantusia)!',
  ];
  expect(said.map((line) => phaseIn(line))).toEqual(['initrd', 'activation', 'userspace']);
});

it('a boot goes forward', () => {
  expect([isLater('userspace', 'kernel'), isLater('initrd', 'userspace')]).toEqual([true, false]);
});

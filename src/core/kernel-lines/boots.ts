/** The beginning of a boot, and a boot that gave up. */
import type { KernelLine } from './line.js';

export const BOOTS: readonly KernelLine[] = [
  // init/version.c
  {
    heads: ['Linux version '],
    rest: /^(?<release>\d\S*)/,
    boot: 'kernel',
    examples: [
      'Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0',
    ],
  },
  // SeaBIOS, and the boot manager of OVMF
  {
    heads: ['SeaBIOS (version ', 'BdsDxe: loading Boot', 'BdsDxe: starting Boot'],
    boot: 'firmware',
    examples: [
      'SeaBIOS (version 1.16.2-debian-1.16.2-1)',
      'BdsDxe: loading Boot0001 "UEFI QEMU HARDDISK"',
      'BdsDxe: starting Boot0001 "UEFI QEMU HARDDISK"',
    ],
  },
  // kernel/reboot.c and arch/x86/kernel/reboot.c: the machine is the firmware's from here on, and that may say nothing
  {
    heads: ['reboot: '],
    rest: /^(?:Restarting system|machine restart)\b/,
    boot: 'firmware',
    examples: [
      'reboot: Restarting system',
      "reboot: Restarting system with command 'kexec'",
      'reboot: machine restart',
    ],
  },
  // systemd, and sulogin, which it runs
  {
    heads: ['You are in '],
    rest: /^(?:emergency|rescue) mode\b/,
    complaint: 'emergency',
    examples: [
      'You are in emergency mode. After logging in, type "journalctl -xb" to view',
      'You are in rescue mode. After logging in, type "journalctl -xb" to view',
    ],
  },
  {
    heads: ['Give root password for '],
    rest: /^(?:system )?maintenance/,
    complaint: 'emergency',
    examples: ['Give root password for maintenance', 'Give root password for system maintenance'],
  },
  {
    heads: ['Cannot open access to console, the root account is locked'],
    complaint: 'emergency',
    examples: ['Cannot open access to console, the root account is locked.'],
  },
  // dracut
  {
    heads: ['Entering emergency mode. Exit the shell to continue'],
    complaint: 'emergency',
    examples: ['Entering emergency mode. Exit the shell to continue.'],
  },
  // initramfs-tools
  {
    heads: ['ALERT! '],
    rest: /^.{0,200}Dropping to a shell!/,
    complaint: 'emergency',
    examples: ['ALERT!  UUID=0f does not exist.  Dropping to a shell!'],
  },
  // NixOS
  {
    heads: ['An error occurred in stage '],
    rest: /^[12] of the boot process/,
    complaint: 'emergency',
    examples: ['An error occurred in stage 1 of the boot process, which must mount the'],
  },
];

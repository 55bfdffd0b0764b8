/** The sections on how evidence is got out of a guest, and read. */
import { z } from 'zod';
import { count, duration, flag, optionalPath } from './fields.js';

export const capture = z
  .strictObject({
    headerTimeout: duration(
      {
        min: '500ms',
        max: '1min',
        because: 'the chord alone takes 60ms, and its answer comes through the journal',
      },
      'Deadline from a chord to the first line of its answer.',
    ).prefault('2s'),
    dumpTimeout: duration(
      {
        min: '5s',
        max: '10min',
        because: 'a guest prints up to 30 lines a task, at the pace of its serial port',
      },
      'Deadline from a chord to the fence behind its dump.',
    ).prefault('60s'),
    dumpSilence: duration(
      { min: '1s', max: '1min', because: 'a busy guest pauses within a dump' },
      'Silence that ends a dump without its fence.',
    ).prefault('5s'),
    maxPerHour: count(1, 60, 'Incidents filed per hour and guest; captures by hand do not count.').prefault(
      3,
    ),
  })
  .describe('How wedgewatch makes a guest print where it is stuck.');

export const ladder = z
  .strictObject({
    typeOnConsole: flag(
      'Type BREAK or ^O and the keys on its console, if that is a socket or a pty. A shell there may take them as its input.',
    ).prefault(false),
    injectNmi: flag('Inject an NMI. A guest with kernel.unknown_nmi_panic=1 panics on it.').prefault(false),
    memoryDump: flag(
      "Write the guest's memory into the incident, if it fits. This stops the guest meanwhile; QEMU hangs if a vhost-user backend is dead.",
    ).prefault(false),
  })
  .describe('Last rungs of the ladder, for a guest that prints no dump on its keys or over SSH.');

export const symbols = z
  .strictObject({
    systemMap: optionalPath(
      "System.map of the guest's kernel, which names the addresses in the registers of its vCPUs; %v is the name of the VM.",
    ),
    vmlinux: optionalPath(
      'Its vmlinux with debug information: stacks then show file and line, through binutils. %v as above.',
    ),
  })
  .describe("Files that name addresses in the guest's kernel.");

/** Lines of helpers come under the guest's unit and invocation: varlinkctl as it starts, socat as it stops. */
import { expect, it, onTestFinished } from 'vitest';
import { guestSettings } from '../../src/core/config/guest-settings.js';
import { configSchema } from '../../src/core/config/schema.js';
import { Daemon } from '../../src/daemon/daemon.js';
import type { FollowedEntry } from '../../src/io/journal.js';
import { bootId } from '../../src/io/proc.js';
import { temporaryDirectory } from '../support/temporary.js';

const UNIT = 'qemu-system@vm-1a2b3c4d.service';

const entry = (at: number, invocation: string, pid: number, text: string): FollowedEntry => ({
  cursor: String(at),
  bootId: bootId(),
  monotonicMs: at,
  realtimeMs: at,
  replayed: false,
  message: Buffer.from(text),
  fields: new Map([
    ['_SYSTEMD_USER_UNIT', UNIT],
    ['_SYSTEMD_INVOCATION_ID', invocation],
    ['_PID', String(pid)],
    ['_TRANSPORT', 'stdout'],
  ]),
});

it('the first writer of each start is kept, and no line of any is lost', async () => {
  const directory = await temporaryDirectory();
  const daemon = new Daemon({
    config: configSchema.parse({}),
    log: () => undefined,
    state: directory,
    runtime: directory,
  });
  onTestFinished(() => daemon.stop());
  const give = (entries: FollowedEntry[]) =>
    (daemon as unknown as { onEntries: (entries: FollowedEntry[]) => void }).onEntries(entries);
  give([
    entry(1, 'a', 100, 'SeaBIOS (version 1.16)'),
    entry(2, 'a', 200, 'varlinkctl: {}'),
    entry(3, 'a', 100, 'Booting from ROM...'),
    entry(4, 'a', 300, '{"return": {}}'),
  ]);
  const guest = daemon.guests.get('vm-1a2b3c4d');
  expect(guest?.whose()).toEqual({
    qmpSocket: guestSettings(configSchema.parse({}), 'vm-1a2b3c4d', {
      qmpDirectory: `${directory}/qemu-system`,
    }).qmpSocket,
    pid: null,
    writer: 100,
  });
  expect(guest?.state.console.tail).toEqual([
    'SeaBIOS (version 1.16)',
    'varlinkctl: {}',
    'Booting from ROM...',
    '{"return": {}}',
  ]);
  give([entry(9, 'b', 400, 'SeaBIOS (version 1.16)')]);
  expect(guest?.whose().writer).toBe(400);
});

import { join } from 'node:path';
import { call, succeeds } from './call.js';
import { waitForSocket } from './background.js';

const timeoutMs = 20_000;

/** Whether this user has a systemd manager whose journal can be read; without one a guest is a plain child. */
export async function userManagerUsable(signal?: AbortSignal): Promise<boolean> {
  if (process.env['XDG_RUNTIME_DIR'] === undefined) return false;
  if (!(await succeeds('systemctl', ['--user', 'show-environment'], signal))) return false;
  const newest = ['--user', '--quiet', '--lines=1', '--output=cat'];
  return call('journalctl', newest, { timeoutMs, signal }).then(
    (line) => line !== '',
    () => false,
  );
}

/** Not that of qemu-system@.service: a watchdog that runs already would find the guest there, and press keys as well. */
const NAME = 'wedgewatch-demo';

/** Directory below which the guests' units keep their QMP sockets. */
export const runtimeDirectory = () => join(process.env['XDG_RUNTIME_DIR'] ?? '', NAME);

interface UserUnit {
  name: string;
  stop: () => Promise<void>;
}

/**
 * Runs a guest as a transient unit of the user's manager.
 * @throws Error with the last lines of the unit's journal if its QMP socket does not appear
 */
export async function startUnit(
  vm: string,
  command: readonly string[],
  signal?: AbortSignal,
): Promise<UserUnit> {
  const name = `${NAME}@${vm}.service`;
  const properties = [
    `SyslogIdentifier=${NAME}@${vm}`,
    `RuntimeDirectory=${NAME}/${vm}`,
    'KillMode=mixed',
    'TimeoutStopSec=5',
  ];
  const systemdRun = ['--user', '--quiet', '--collect', `--unit=${name}`, '--service-type=exec'];
  await call('systemd-run', [...systemdRun, ...properties.map((p) => `--property=${p}`), '--', ...command], {
    timeoutMs,
    signal,
  });
  const stop = async () => {
    // A guest that ended by itself has no unit any more.
    await call('systemctl', ['--user', 'stop', name], { timeoutMs }).catch(() => undefined);
  };
  const failed = async () => {
    if (await succeeds('systemctl', ['--user', 'is-active', name])) return null;
    const log = await call('journalctl', ['--user-unit', name, '--lines=20', '--output=cat', '--no-pager'], {
      timeoutMs,
    });
    return new Error(`${name} exited at startup:\n${log}`);
  };
  try {
    await waitForSocket(join(runtimeDirectory(), vm, 'qmp.sock'), failed, signal);
  } catch (error) {
    await stop();
    throw error;
  }
  return { name, stop };
}

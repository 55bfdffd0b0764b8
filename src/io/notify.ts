/** systemd's notification protocol, through systemd-notify: Node has no unix datagram sockets. */
import { execa } from 'execa';

/** Sends assignments such as `READY=1` to the manager that started this process; nothing if there is none. */
export async function notify(...assignments: string[]): Promise<void> {
  if (process.env['NOTIFY_SOCKET'] === undefined) return;
  await execa('systemd-notify', [`--pid=${process.pid}`, ...assignments], { timeout: 5_000, reject: false });
}

/** Milliseconds within which the manager wants to hear `WATCHDOG=1`, or null if it does not (sd_watchdog_enabled(3)). */
export function watchdogMs(env: NodeJS.ProcessEnv = process.env): number | null {
  const us = Number(env['WATCHDOG_USEC']);
  const pid = env['WATCHDOG_PID'];
  if (!Number.isFinite(us) || us <= 0 || (pid !== undefined && Number(pid) !== process.pid)) return null;
  return us / 1000;
}

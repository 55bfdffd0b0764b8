/** The watchdog in the world, installed just as the README says. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Incident } from '../../src/core/report/incident.js';
import { user, type World } from './world.js';

const project = join(import.meta.dirname, '../..');

export const binary = join(user.home, '.local/bin/wedgewatch');
const incidents = join(user.home, '.local/state/wedgewatch/incidents');

/** Installs it as a user unit, and starts it. */
export async function startWatchdog(world: World): Promise<void> {
  await world.dev(['mkdir', '-p', join(user.home, '.local/bin')]);
  await world.dev(['ln', '-s', join(project, 'dist/cli/main.js'), binary]);
  const unit = await readFile(join(project, 'systemd/wedgewatch.service'), 'utf8');
  await world.write(join(user.home, '.config/systemd/user/wedgewatch.service'), unit);
  await world.dev(['systemctl', '--user', 'daemon-reload']);
  await world.dev(['systemctl', '--user', 'enable', '--now', 'wedgewatch']);
}

export async function readIncident(world: World, id: string): Promise<Incident> {
  return JSON.parse(await world.dev(['cat', join(incidents, id, 'incident.json')])) as Incident;
}

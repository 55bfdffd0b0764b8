/** What systemd itself says of the units. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, onTestFinished } from 'vitest';

const units = join(import.meta.dirname, '../../systemd');

const scopes = [
  ['user', '--user', units],
  ['system', '--system', join(units, 'system')],
] as const;

it.each(scopes)('systemd knows every directive of the units: %s', async (_, manager, directory) => {
  const place = await mkdtemp(join(tmpdir(), 'wedgewatch-units-'));
  onTestFinished(() => rm(place, { recursive: true }));
  // The program need not be installed here.
  const text = await readFile(join(directory, 'wedgewatch.service'), 'utf8');
  const unit = join(place, 'wedgewatch.service');
  await writeFile(unit, text.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true'));
  await copyFile(join(directory, 'wedgewatch-alarm.service'), join(place, 'wedgewatch-alarm.service'));
  const env = { XDG_RUNTIME_DIR: place, SYSTEMD_UNIT_PATH: `${place}:` };
  const verify = await execa('systemd-analyze', [manager, 'verify', unit], {
    env,
    all: true,
    reject: false,
  });
  expect(verify.all.split('\n').filter((line) => line.includes('wedgewatch'))).toEqual([]);
  expect(verify.exitCode).toBe(0);
});

/** What the unit and the package promise to hosts of different kinds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const project = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(project, path), 'utf8');

it('the unit finds node where Nix puts it, behind the user’s own choice and before the system’s', () => {
  const path = /^Environment=PATH=(.*)$/m.exec(read('systemd/wedgewatch.service'))?.[1]?.split(':') ?? [];
  expect(path[0]).toBe('%h/.local/bin');
  for (const place of [
    '%h/.nix-profile/bin',
    '%h/.local/state/nix/profile/bin',
    '/etc/profiles/per-user/%u/bin',
    '/nix/var/nix/profiles/default/bin',
    '/run/current-system/sw/bin',
  ]) {
    expect(path).toContain(place);
    expect(path.indexOf(place)).toBeLessThan(path.indexOf('/usr/bin'));
  }
});

it('Debian 13’s own Node is enough: no package that runs or builds it asks for a newer one', () => {
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { engines?: { node?: string } }>;
  };
  const own = [20, 19, 2];
  const newer = Object.entries(lock.packages).filter(([, { engines }]) => {
    const floors = [...(engines?.node ?? '').matchAll(/[>^=]=? ?v?(20)\.(\d+)(?:\.(\d+))?/g)];
    return floors.some(([, , minor = '0', patch = '0']) => {
      return Number(minor) > (own[1] ?? 0) || (Number(minor) === own[1] && Number(patch) > (own[2] ?? 0));
    });
  });
  expect(newer.map(([name, { engines }]) => `${name} ${engines?.node ?? ''}`)).toEqual([]);
  expect(lock.packages['']?.engines?.node).toBe('>=20.19');
});

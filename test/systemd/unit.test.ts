/** What the unit and the package promise to hosts of different kinds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { END_MS } from '../../src/cli/ending.js';

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

/** The value of a directive, in the last place where it stands. */
const directive = (name: string) =>
  [...read('systemd/wedgewatch.service').matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].at(-1)?.[1] ?? '';

it('the unit of the system differs in what it may, and in nothing that keeps it alive', () => {
  const lines = (path: string) =>
    read(path)
      .split('\n')
      .filter((line) => /^[A-Z]\w+=/.test(line));
  const own = /^(?:Description|ExecStart|Environment=PATH|OOMScoreAdjust|WantedBy)/;
  const [user, system] = ['systemd', 'systemd/system'].map((at) => lines(`${at}/wedgewatch.service`));
  expect(system).toEqual(expect.arrayContaining((user ?? []).filter((line) => !own.test(line))));
});

it('the unit gives the daemon longer to end than it takes', () => {
  expect(Number(/^(\d+)s$/.exec(directive('TimeoutStopSec'))?.[1]) * 1000).toBeGreaterThan(END_MS + 2_000);
});

it('Node’s own limit of memory comes before the unit’s, with room for children', () => {
  const heap = Number(/--max-old-space-size=(\d+)/.exec(read('systemd/wedgewatch.service'))?.[1]);
  const unit = Number(/^(\d+)G$/.exec(directive('MemoryMax'))?.[1]) * 1024;
  expect(heap).toBeGreaterThan(300);
  expect(heap).toBeLessThan(unit / 2);
  // Of sixteen megabytes for what is young three times as much stays in memory.
  expect(read('systemd/wedgewatch.service')).toMatch(
    /^Environment="NODE_OPTIONS=.*--max-semi-space-size=2"$/m,
  );
});

it('an end of one child is not that of the watch, no core is left, and threads are bounded', () => {
  expect(directive('OOMPolicy')).toBe('continue');
  expect(directive('LimitCORE')).toBe('0');
  expect(Number(directive('TasksMax'))).toBeGreaterThan(1_000);
});

it('a start limit is reached by a daemon that dies every two minutes, and then somebody is told', () => {
  const burst = Number(directive('StartLimitBurst'));
  expect(directive('StartLimitIntervalSec')).toBe('1h');
  expect(burst * 120).toBeLessThan(3_600);
  // A restart by hand, or an edit that is tried out, is no alarm.
  expect(burst).toBeGreaterThan(10);
  const alarm = read(`systemd/${directive('OnFailure')}`);
  expect(alarm).toMatch(/^ExecStart=systemd-cat .*--priority=alert /m);
  // What a user has stopped stays stopped.
  expect(alarm).toMatch(/^PartOf=wedgewatch.service$/m);
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

import { describe, expect, it } from 'vitest';
import { installSteps, type Place, type Step, stepText, uninstallSteps } from '../../src/cli/install-plan.js';

const place: Place = {
  scope: 'user',
  home: '/home/me',
  user: 'me',
  lingers: false,
  program: '/home/me/wedgewatch/dist/cli/main.js',
  command: ['/home/me/.nvm/node', '/home/me/wedgewatch/dist/cli/main.js'],
  packaged: false,
  units: { 'wedgewatch.service': '[Service]\n', 'wedgewatch-alarm.service': '[Unit]\n' },
  rateLimit: { inPlace: false, path: '/home/me/wedge watch/50-wedgewatch.conf' },
};
const units = '/home/me/.config/systemd/user';
const written = (steps: readonly Step[]) =>
  Object.fromEntries(steps.flatMap((step) => (step.do === 'write' ? [[step.path, step.text]] : [])));
const kinds = (steps: readonly Step[]) => steps.map((step) => step.do).join(' ');

describe('install', () => {
  it('writes the units, where node is, and the command; then linger, start, and what root must do', () => {
    const steps = installSteps(place);
    expect(kinds(steps)).toBe('write write write link link run run run run tell');
    expect(written(steps)[`${units}/wedgewatch.service.d/50-install.conf`]).toMatch(
      /^# Written by .*\n\[Service\]\nExecStart=\nExecStart="\/home\/me\/.nvm\/node" ".*main\.js" "run"\n$/,
    );
    expect(written(steps)[`${units}/wedgewatch.service`]).toMatch(/^# Written by .*\n\[Service\]\n$/);
    expect(steps.map(stepText).join('\n')).toContain(
      "  sudo cp '/home/me/wedge watch/50-wedgewatch.conf' /etc/",
    );
  });

  it('links the manual where man looks beside that command', () => {
    const text = installSteps(place).map(stepText).join('\n');
    expect(text).toContain(
      'link    /home/me/.local/share/man/man1/wedgewatch.1 -> /home/me/wedgewatch/dist/wedgewatch.1  (',
    );
  });

  it.each([
    ['a blank and 100% of "it"', '"/a blank and 100%% of \\"it\\""'],
    ['$HOME\\x', '"/$$HOME\\\\x"'],
  ])('keeps systemd from reading more than a path in %s', (path, word) => {
    const drop = Object.values(written(installSteps({ ...place, command: [`/${path}`] })))[2];
    expect(drop).toContain(`ExecStart=${word} "run"\n`);
  });

  it('of a package only lets the user linger, and starts it', () => {
    const packaged = { ...place, packaged: true, rateLimit: { ...place.rateLimit, inPlace: true } };
    expect(kinds(installSteps(packaged))).toBe('run run run run');
    expect(kinds(installSteps({ ...packaged, lingers: true }))).toBe('run run run');
    expect(kinds(uninstallSteps(packaged))).toBe('run run tell');
  });

  it('of the system writes to /etc, and lets nobody linger', () => {
    const steps = installSteps({ ...place, scope: 'system' });
    expect(kinds(steps)).toBe('write write write link link run run run tell');
    const dropIn = written(steps)['/etc/systemd/system/wedgewatch.service.d/50-install.conf'];
    expect(dropIn).toMatch(/\nExecStart=".*node" ".*main\.js" "--system" "run"\n$/);
    const text = steps.map(stepText).join('\n');
    expect(text).toContain('link    /usr/local/bin/wedgewatch -> ');
    expect(text).toContain('run     systemctl reenable wedgewatch.service');
    expect(text).toContain("50-wedgewatch.conf' /etc/systemd/system/qemu-system@.service.d/");
    expect(text).not.toMatch(/--user|linger/);
    expect(
      uninstallSteps({ ...place, scope: 'system' })
        .map(stepText)
        .join('\n'),
    ).not.toMatch(/--user|linger/);
  });

  it('with a command of its own makes no link', () => {
    const nix = { ...place, program: null, command: ['/home/me/.nix-profile/bin/wedgewatch'] };
    expect(kinds(installSteps(nix))).not.toContain('link');
    expect(kinds(uninstallSteps(nix))).not.toContain('unlink');
  });
});

it.each(['user', 'system'] as const)('uninstall takes back all files that install made: %s', (scope) => {
  const made = installSteps({ ...place, scope }).flatMap((step) =>
    step.do === 'write' || step.do === 'link' ? [step.path] : [],
  );
  const gone = uninstallSteps({ ...place, scope }).flatMap((step) =>
    step.do === 'remove' || step.do === 'unlink' ? [step.path] : [],
  );
  expect(gone.sort()).toEqual(made.sort());
});

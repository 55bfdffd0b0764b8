/** Every command of the documentation runs here, as it stands there, in a home of its own; or is listed, with the reason. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { STARTED_AT_MS } from '../fixtures/archive-sample.js';
import { put } from '../support/archive.js';
import { commands, inline } from '../support/doc-commands.js';

const project = join(import.meta.dirname, '../..');
const GUEST = 'asks a running guest; test/world/memory.test.ts and by-hand.ts do';
const INSTALLED = 'needs a user manager; test/world/install.test.ts runs it';
const ROOT = 'changes the host as root; test/world/install.test.ts does the same in a world';
const SYSTEM = 'watches the host as root; test/world/reach.test.ts does so in a world';
const JOB = 'is a job of somebody; test/cli/guard.host.test.ts runs some';
const HOST = 'needs another host of a team';
const CI = '.ci/run runs it';
const NIX = 'needs Nix, which no host of the tests has';
const MANAGER = 'asks the user manager, which this machine may not have';

/** Why a command does not run here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'wedgewatch capture VM': GUEST,
  'wedgewatch ps VM': GUEST,
  'wedgewatch stacks VM': GUEST,
  'wedgewatch dmesg VM': GUEST,
  'wedgewatch doctor VM': GUEST,
  '~/wedgewatch/dist/cli/main.js install': INSTALLED,
  'wedgewatch install': INSTALLED,
  'dist/cli/main.js install': INSTALLED,
  'sudo mkdir -p /etc/systemd/system/user@.service.d': ROOT,
  'sudo cp ~/wedgewatch/systemd/user@.service.d/50-wedgewatch.conf /etc/systemd/system/user@.service.d/':
    ROOT,
  'sudo systemctl daemon-reload': ROOT,
  'sudo wedgewatch install --system': SYSTEM,
  'sudo wedgewatch --system status': SYSTEM,
  'sudo apt install ./wedgewatch_0.1.0_all.deb': ROOT,
  'packaging/deb.sh wedgewatch-0.1.0.tgz': 'takes a while; test/world/install.test.ts runs it',
  'echo kernel.sysrq=1 | sudo tee /etc/sysctl.d/99-sysrq.conf && sudo sysctl --system':
    'is for a guest, as its root',
  'wedgewatch guard -- make check': JOB,
  'wedgewatch guard --qmp ./qmp.sock --console ./console.log -- ./run-tests': JOB,
  'rsync --archive host1:.local/state/wedgewatch/incidents/ fleet/host1/': HOST,
  'rclone sync store:wedgewatch fleet': HOST,
  'nix build path:$HOME/wedgewatch --out-link ~/.local/state/wedgewatch-program': NIX,
  '~/.local/state/wedgewatch-program/bin/wedgewatch install --command ~/.local/state/wedgewatch-program/bin/wedgewatch':
    NIX,
  'npm ci': CI,
  'npm ci && npm test': CI,
  'npm run check': CI,
  'npm run test:fast': 'runs the pure tests, as CI does',
  'npm run corpus -- DIR': 'needs logs that are not in the repository',
  'systemctl --user status wedgewatch': MANAGER,
  "systemctl --user list-units 'qemu-system@*'": MANAGER,
  'journalctl --user --unit=wedgewatch --lines=20': MANAGER,
  'ls "$XDG_RUNTIME_DIR/qemu-system/"': 'needs guests',
};

/** Those that may end with another code than 0, where there is no daemon and no guest. */
const CODES: Readonly<Record<string, readonly number[]>> = {
  'wedgewatch analyze console.log': [1],
  'wedgewatch analyze FILE': [1],
  'wedgewatch status': [5],
  // Whether the journal may be read and linger is on differs from machine to machine.
  'wedgewatch doctor': [0, 5],
};

let home: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'wedgewatch-docs-'));
  for (const name of ['bin', '.config/wedgewatch', 'run']) mkdirSync(join(home, name), { recursive: true });
  symlinkSync(join(project, 'dist/cli/main.js'), join(home, 'bin/wedgewatch'));
  symlinkSync(process.execPath, join(home, 'bin/node'));
  for (const name of ['console.log', 'FILE'])
    copyFileSync(join(project, 'test/golden/page-in.log'), join(home, name));
  const today = Math.floor((Date.now() - STARTED_AT_MS) / 60_000);
  await put(join(home, '.local/state/wedgewatch'), today, 'aa000001');
  await put(join(home, 'fleet/host1'), today, 'aa000001');
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', home];
  execFileSync('npm', pack, { cwd: project });
  team(join(home, 'team'));
}, 120_000);

afterAll(() => rmSync(home, { recursive: true, force: true }), 60_000);

/** The list that fleet.md shows, in a repository. */
function team(path: string): void {
  const shown = /```yaml\n([^]*?)```/.exec(readFileSync(join(project, 'docs/fleet.md'), 'utf8'))?.[1] ?? '';
  mkdirSync(path);
  writeFileSync(join(path, 'known.yaml'), shown);
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], {
      cwd: path,
      stdio: 'pipe',
    });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message=known');
}

const run = (command: string) =>
  execa('bash', ['-c', command], {
    cwd: home,
    reject: false,
    all: true,
    timeout: 60_000,
    extendEnv: false,
    env: {
      HOME: home,
      PATH: `${join(home, 'bin')}:/usr/bin:/bin`,
      XDG_RUNTIME_DIR: join(home, 'run'),
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: `url.${join(home, 'team')}.insteadOf`,
      GIT_CONFIG_VALUE_0: 'https://git.example.org/team/known-hangs.git',
    },
  });

const here = commands.filter(({ command }) => !(command in ELSEWHERE));

it.each(here)('$path: $command', { timeout: 90_000 }, async ({ command }) => {
  const { exitCode, all } = await run(command);
  expect(CODES[command] ?? [0], all).toContain(exitCode);
  if (command === 'wedgewatch list') expect(all).toContain('chroot:441 stuck');
});

it('a list of known hangs as fleet.md shows it names the hang', async () => {
  expect((await run('wedgewatch list')).all).toContain('known: https://lore.kernel.org/example/1 (page-in');
});

it('each command that does not run here is one of the documentation', () => {
  const there = new Set(commands.map(({ command }) => command));
  expect([...Object.keys(ELSEWHERE), ...Object.keys(CODES)].filter((command) => !there.has(command))).toEqual(
    [],
  );
});

it('verbs and options in running text are those that there are', { timeout: 60_000 }, async () => {
  const helps = new Map<string, string>();
  const wrong: string[] = [];
  for (const { path, command } of inline) {
    const [, first = '', second = ''] = command.split(' ');
    const verb = first === 'config' ? `config ${second}` : first;
    if (!/^[a-z]/.test(verb)) continue;
    const help = helps.get(verb) ?? (await run(`wedgewatch ${verb} --help`)).all;
    helps.set(verb, help);
    const options = [...command.matchAll(/ (--?[a-z][\w-]*)/g)].map(([, option = '']) => option);
    if (!help.startsWith(`Usage: wedgewatch ${verb}`) || options.some((option) => !help.includes(option)))
      wrong.push(`${path}: ${command}`);
  }
  expect(wrong).toEqual([]);
});

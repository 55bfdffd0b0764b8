/** What is wrong with this host, its configuration or a guest: one clear line each, and the exit code scripts rely on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { call } from '../../src/guest/call.js';
import { compileTo } from '../support/compile.js';

let built: string;
let place: string;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), 'wedgewatch-built-'));
  await compileTo(built, 'unused');
}, 60_000);

afterAll(() => rm(built, { recursive: true }));

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'wedgewatch-faults-'));
  onTestFinished(() => rm(place, { recursive: true, force: true }));
  environment = { ...process.env, XDG_RUNTIME_DIR: place, XDG_STATE_HOME: place, XDG_CONFIG_HOME: place };
});

const main = () => join(built, 'src/cli/main.js');

interface Ended {
  code: number;
  out: string;
  err: string;
}

/** Runs a verb to its end, and returns what it printed on both streams. */
const wedgewatch = (...args: string[]) => verb(args, () => undefined);

/** Runs a verb whose reader goes away after the first bytes, as head does. */
const cutShort = (...args: string[]) => verb(args, (child) => child.stdout?.destroy());

async function verb(args: string[], onOutput: (child: ChildProcess) => void): Promise<Ended> {
  const child = spawn(process.execPath, [main(), ...args], { env: environment });
  const ended: Ended = { code: -1, out: '', err: '' };
  child.stdout.on('data', (data) => {
    ended.out += String(data);
    onOutput(child);
  });
  child.stderr.on('data', (data) => (ended.err += String(data)));
  [ended.code] = (await once(child, 'close')) as [number];
  return ended;
}

/** A daemon that answers on its control socket. */
async function daemon(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [main(), 'run'], { env: environment, stdio: 'ignore' });
  onTestFinished(async () => {
    const ended = child.exitCode === null ? once(child, 'exit') : null;
    child.kill('SIGTERM');
    await ended;
  });
  const socket = join(place, 'wedgewatch/control.sock');
  await expect.poll(() => access(socket).then(() => true), { timeout: 15_000 }).toBe(true);
  return child;
}

async function configure(yaml: string): Promise<void> {
  await mkdir(join(place, 'wedgewatch'), { recursive: true });
  await writeFile(join(place, 'wedgewatch/config.yaml'), yaml);
}

/** One guest with a console file, and nothing to be discovered. */
async function configureLab(ssh = 'false'): Promise<void> {
  await writeFile(join(place, 'console'), 'Started SSH server.\n');
  await configure(
    `discover: {enabled: false}\nguests:\n  - {name: lab, qmp: ${place}/qmp.sock, console: 'file:${place}/console', ssh: ${ssh}}\n`,
  );
}

/** A QEMU without a guest. */
async function startQemu(): Promise<void> {
  const devices = ['-M', 'q35', '-accel', 'tcg', '-nodefaults', '-display', 'none', '-S'];
  const qmp = ['-qmp', `unix:${place}/qmp.sock,server=on,wait=off`];
  const qemu = spawn('qemu-system-x86_64', [...devices, ...qmp], { stdio: ['ignore', 'ignore', 'inherit'] });
  onTestFinished(() => void qemu.kill('SIGKILL'));
  await expect.poll(() => access(join(place, 'qmp.sock')).then(() => true), { timeout: 15_000 }).toBe(true);
}

/** A PATH with just these programs of the host, and these scripts. */
async function setPath(programs: readonly string[], scripts: Record<string, string> = {}): Promise<void> {
  const bin = join(place, 'bin');
  await mkdir(bin);
  for (const program of programs) {
    const path = await call('sh', ['-c', `command -v ${program}`], { timeoutMs: 5_000 });
    await symlink(path, join(bin, program));
  }
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(bin, name), 0o755);
  }
  environment['PATH'] = bin;
}

const faults = ({ out }: Ended) => out.split('\n').filter((line) => line.startsWith('FAULT'));

test.each([['run'], ['doctor'], ['list'], ['capture', 'lab']])(
  'a broken configuration ends %s',
  async (...verb) => {
    await configure('ssh: {intervall: 3s}\n');
    const { code, out, err } = await wedgewatch(...verb);
    expect(out).toBe('');
    expect(err).toBe(
      `wedgewatch: ${place}/wedgewatch/config.yaml:1:7: ssh.intervall: unknown key; did you mean ssh.interval?\n`,
    );
    expect(code).toBe(2);
  },
);

test('a journal that may not be read: doctor, status and the daemon say why, with the fix', async () => {
  // systemd's own words; as a user without access to a journal they are seen in the world's tests.
  const words = 'No journal files were opened due to insufficient permissions.';
  await setPath(['sh', 'sleep', 'flock'], { journalctl: `echo '${words}' >&2; exit 1` });
  const doctor = await wedgewatch('doctor');
  expect(faults(doctor)).toEqual([
    expect.stringMatching(/journal: this user may not read the journal: .* Fix: /),
  ]);
  expect(doctor.code).toBe(5);
  await daemon();
  // Each time that it tries again, there is hope for a moment.
  const status = () => wedgewatch('status');
  await expect.poll(status, { timeout: 15_000 }).toMatchObject({
    err: expect.stringMatching(
      /^wedgewatch: the journal cannot be read: this user may not read the journal/,
    ) as string,
    code: 5,
  });
});

test('a guest without its QMP socket is not started: it is gone, and cannot be captured', async () => {
  await configureLab();
  const doctor = await wedgewatch('doctor', 'lab');
  expect(faults(doctor)).toEqual([
    `FAULT  lab: QMP: ${place}/qmp.sock: cannot connect: ENOENT. nothing listens there; start the guest, or give it -qmp unix:PATH,server=on,wait=off`,
  ]);
  expect(doctor.code).toBe(5);
  await daemon();
  const state = async () => JSON.parse((await wedgewatch('status', 'lab', '--json')).out) as unknown;
  await expect.poll(state, { timeout: 10_000 }).toMatchObject({
    guests: [
      { state: 'gone', why: [expect.stringMatching(/^no QMP socket at .*: the guest is not started/)] },
    ],
  });
  const capture = await wedgewatch('capture', 'lab');
  expect(capture.err).toBe(`wedgewatch: lab is not running: nobody serves QMP at ${place}/qmp.sock\n`);
  expect(capture.code).toBe(5);
});

test('a key that is none for a capture by hand is refused, whatever else is wrong', async () => {
  const { code, err } = await wedgewatch('capture', 'lab', '--keys', 'wbt');
  expect(err).toMatch(/^wedgewatch: --keys: key b is refused: reboots the guest; allowed: w \(/);
  expect(code).toBe(2);
  const long = await wedgewatch('capture', 'lab', '--note', 'x'.repeat(501));
  expect(long.err).toBe('wedgewatch: --note: 501 characters; the limit is 500\n');
  expect(long.code).toBe(2);
});

test('another client on QMP: it is busy, and a capture is filed as what it is', async () => {
  await configureLab();
  await startQemu();
  const other = connect(join(place, 'qmp.sock'));
  onTestFinished(() => void other.destroy());
  await once(other, 'data');
  const doctor = await wedgewatch('doctor', 'lab');
  expect(faults(doctor)).toEqual([
    expect.stringMatching(/lab: QMP: .* a QMP socket serves one client; close the other/),
  ]);
  expect(doctor.code).toBe(5);
  const capture = await wedgewatch('--quiet', 'capture', 'lab');
  expect(capture.out).toMatch(/could not be seen: .* a QMP socket serves one client/);
  expect(capture.code).toBe(4);
});

test('no ssh binary', async () => {
  await configureLab('root@lab');
  await startQemu();
  await setPath(['sh', 'journalctl', 'stdbuf', 'flock']);
  const doctor = await wedgewatch('doctor', 'lab');
  expect(faults(doctor)).toEqual([
    'FAULT  lab: SSH: host-fault: no ssh binary in PATH; install openssh-client',
  ]);
  expect(doctor.code).toBe(5);
});

test('a second daemon of the same user does not start', async () => {
  await configureLab();
  const { pid } = await daemon();
  const second = await wedgewatch('run');
  expect(second.err).toMatch(
    new RegExp(
      `^wedgewatch: another wedgewatch is already running \\(pid ${pid}, wedgewatch run, since 20\\S+Z\\); stop it with: systemctl --user stop wedgewatch\n$`,
    ),
  );
  expect(second.code).toBe(5);
});

test('no daemon, no such guest, no such verb', async () => {
  await configureLab();
  expect(await wedgewatch('status')).toEqual({
    code: 5,
    out: '',
    err: 'wedgewatch: no daemon answers; start it with: systemctl --user start wedgewatch\n',
  });
  const capture = await wedgewatch('--quiet', 'capture', 'nobody');
  expect(capture).toEqual({ code: 3, out: '', err: 'wedgewatch: no guest nobody; there are: lab\n' });
});

test('a misspelt guest is met with the name that was meant', async () => {
  await configureLab();
  const err = 'wedgewatch: no guest lba; did you mean lab?\n';
  expect(await wedgewatch('--quiet', 'capture', 'lba')).toEqual({ code: 3, out: '', err });
  await daemon();
  const [capture, status, wait] = await Promise.all([
    wedgewatch('capture', 'lba'),
    wedgewatch('--quiet', 'status', 'lba'),
    wedgewatch('wait', 'lba', '--until', 'up', '--timeout', '1s'),
  ]);
  expect(capture).toMatchObject({ code: 3, err });
  expect(status).toMatchObject({ code: 3, err });
  expect(wait.err).toMatch(/; no such guest was seen; did you mean lab\?\n$/);
});

test.each([
  [['captrue', 'lab'], "unknown command 'captrue'", 'capture'],
  [['list', '--sicne', '2h'], "unknown option '--sicne'", '--since'],
  [['config', 'chekc'], "unknown command 'chekc'", 'check'],
])('a verb or an option that is none: %j', async (words, text, meant) => {
  const { code, out, err } = await wedgewatch(...words);
  expect(err.split('\n').slice(0, 2)).toEqual([`wedgewatch: ${text}`, `(Did you mean ${meant}?)`]);
  expect(out).toBe('');
  expect(code).toBe(2);
});

test('a reader that goes away ends a verb in silence, with the exit code of what it found', async () => {
  const log = join(import.meta.dirname, '../golden/many-victims.log');
  expect(await cutShort('analyze', '--json', log)).toMatchObject({ code: 1, err: '' });
  await configureLab();
  await daemon();
  expect(await cutShort('status', '--watch', '--json')).toMatchObject({ code: 0, err: '' });
});

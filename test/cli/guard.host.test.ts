/** guard: a job, its guests, and what is written of them. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { call } from '../../src/guest/call.js';
import { askStatus, controlSocket } from '../../src/daemon/control.js';
import { compiled } from '../support/compiled.js';
import { ended, HEALTHY, Lab, type Running } from '../support/lab.js';

const built = compiled();

/** The kernel complains of the task that the scripted dumps show. */
const COMPLAINT = [
  'INFO: task job:100 blocked for more than 120 seconds.',
  '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
];

async function lab(...vms: string[]): Promise<Lab> {
  const started = await Lab.start(built.main, Object.fromEntries(vms.map((vm) => [vm, HEALTHY])));
  onTestFinished(() => started.end());
  return started;
}

const PLAIN = { GITHUB_ACTIONS: '', GITLAB_CI: '', JENKINS_URL: '' };
const guard = (here: Lab, args: string[], environment: NodeJS.ProcessEnv = {}): Running =>
  here.run(['guard', ...args], { ...PLAIN, ...environment });

/** Waits until the job has begun, which makes this file, and the guests' consoles are read. */
async function begun(path: string, control: () => Promise<string>): Promise<void> {
  await expect.poll(() => readFile(path, 'utf8').catch(() => ''), { timeout: 15_000 }).not.toBe('');
  const isRead = async () => (await askStatus(await control())).guests.every(({ read }) => read.rows > 0);
  await expect.poll(() => isRead().catch(() => false), { timeout: 15_000 }).toBe(true);
}

/** As Jenkins or GitLab would: with a parser of XML that is not ours. */
async function parsed(path: string): Promise<unknown> {
  const script = `
import json, sys, xml.etree.ElementTree as tree
suites = tree.parse(sys.argv[1]).getroot()
print(json.dumps([[case.get("classname"), case.get("name"), [(child.tag, child.get("message")) for child in case if child.tag != "system-out"]] for case in suites.iter("testcase")]))`;
  return JSON.parse(await call('python3', ['-c', script, path], { timeoutMs: 10_000 }));
}

describe('a job beside healthy guests', () => {
  it.each<[string, number]>([
    ['exit 0', 0],
    ['exit 7', 7],
    ['kill -9 $$', 137],
  ])('%s ends with %i', async (script, code) => {
    const here = await lab('lab');
    const run = guard(here, ['--', 'sh', '-c', `echo out; ${script}`]);
    expect(await ended(run, 15_000)).toBe(code);
    expect(run.said()).toBe('out\n');
    expect(here.keys.get('lab')).toEqual([]);
  });

  it('that cannot be run ends as in a shell', async () => {
    const here = await lab('lab');
    const missing = guard(here, ['--', join(here.place, 'nothing')]);
    expect(await ended(missing, 15_000)).toBe(127);
    const noProgram = guard(here, ['--', here.console('lab')]);
    expect(await ended(noProgram, 15_000)).toBe(126);
    expect(missing.said()).toContain('/nothing: there is no such command');
  });

  it('gets the signals that its guard gets, and all its output is passed on', async () => {
    const here = await lab('lab');
    const script = 'trap "echo caught; exit 3" TERM; echo 1 >begun; while :; do sleep 0.1; done';
    const run = guard(here, ['--', 'sh', '-c', `cd ${here.place}; ${script}`]);
    await begun(join(here.place, 'begun'), () => Promise.resolve(here.control));
    run.kill('SIGTERM');
    expect(await ended(run, 15_000)).toBe(3);
    expect(run.said()).toMatch(/caught\n$/);
    const much = guard(here, ['--', 'sh', '-c', 'head -c 3000000 /dev/zero | tr "\\\\0" x']);
    expect(await ended(much, 15_000)).toBe(0);
    await expect.poll(() => much.said().length).toBe(3_000_000);
  });

  it('is told of a guest that was never seen', async () => {
    const here = await lab('lab');
    const run = guard(here, ['lap', '--', 'true']);
    expect(await ended(run, 15_000)).toBe(0);
    expect(run.said()).toContain('no guest lap was seen');
  });

  it('writes what passed, in place of what an earlier run left', async () => {
    const here = await lab('lab');
    const folder = join(here.place, 'report');
    await mkdir(join(folder, '20260918T101502Z.lab.0123abcd'), { recursive: true });
    for (const name of ['summary.md', 'junit.xml', 'mine.txt']) await writeFile(join(folder, name), 'old');
    expect(await ended(guard(here, ['--artifacts', folder, '--', 'true']), 15_000)).toBe(0);
    expect((await readdir(folder)).sort()).toEqual(['junit.xml', 'mine.txt']);
    expect(await parsed(join(folder, 'junit.xml'))).toEqual([['lab', 'makes progress', []]]);
  });
});

describe('a job whose guest hangs', () => {
  it('is ended with all that it started, and told in the forms of GitHub', async () => {
    const here = await lab('lab', 'other');
    const summary = join(here.place, 'step.md');
    // A process group of its own, by timeout; one that does not want to end; one that is stopped.
    const script = `cd ${here.place}; echo 1 >begun; timeout 600 sleep 61 & (trap "" TERM; sleep 62) & (kill -STOP $BASHPID; sleep 63) & wait`;
    const run = here.run(['guard', '--grace', '1s', '--', 'bash', '-c', script], {
      ...{ ...PLAIN, GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary },
    });
    await begun(join(here.place, 'begun'), () => Promise.resolve(here.control));
    await here.print('lab', COMPLAINT);
    expect(await ended(run, 18_000)).toBe(1);
    const left = await call('sh', ['-c', 'pgrep -f "^sleep 6[123]$" || true'], { timeoutMs: 5_000 });
    expect(left).toBe('');
    const [name = ''] = await here.names();
    expect(run.said()).toMatch(/^::error title=lab is wedged::job:100 .*filemap_fault/m);
    expect(run.said()).toMatch(/^::group::wedgewatch: lab\n[^]*^::endgroup::$/m);
    expect(run.said()).toContain(`evidence: ${join(here.incidents, name)}`);
    expect(await readFile(summary, 'utf8')).toMatch(/^### `job:100 .*\n\n- Guest: `lab`\n/);
    const folder = 'wedgewatch-report';
    onTestFinished(() => rm(folder, { recursive: true }));
    expect((await readdir(folder)).sort()).toEqual([name, 'junit.xml', 'summary.md']);
    expect(await readdir(join(folder, name))).toContain('report.html');
    expect(await parsed(join(folder, 'junit.xml'))).toEqual([
      ['lab', 'makes progress', [['failure', expect.stringMatching(/^job:100 .*filemap_fault/)]]],
      ['other', 'makes progress', []],
    ]);
  }, 40_000);

  it('is ended by what the daemon that watches already finds: no key is pressed twice', async () => {
    const here = await lab('lab');
    const daemon = await here.daemon();
    const alone = guard(here, ['--', 'sh', '-c', `echo 1 >${here.place}/begun; sleep 61`]);
    await begun(join(here.place, 'begun'), () => Promise.resolve(here.control));
    expect((await askStatus(here.control)).pid).toBe(daemon.pid);
    await here.print('lab', COMPLAINT);
    expect(await ended(alone, 18_000)).toBe(1);
    expect(here.keys.get('lab')?.filter((key) => key === 't')).toHaveLength(1);
    expect(alone.said()).toMatch(/^wedgewatch: lab: job:100 /m);
    expect(await here.names()).toHaveLength(1);
  }, 30_000);

  it('is found out after it failed by itself, if its guest was being looked at', async () => {
    const here = await lab('lab');
    const run = guard(here, [
      '--',
      'sh',
      '-c',
      `echo 1 >${here.place}/begun; until [ -e ${here.place}/fail ]; do sleep 0.1; done; exit 9`,
    ]);
    await begun(join(here.place, 'begun'), () => Promise.resolve(here.control));
    await here.print('lab', COMPLAINT);
    await expect.poll(() => here.keys.get('lab')?.length, { timeout: 10_000 }).toBeGreaterThan(0);
    await writeFile(join(here.place, 'fail'), '');
    expect(await ended(run, 18_000)).toBe(1);
    expect(run.said()).toContain('the command had ended by itself');
  }, 30_000);

  it('where nothing discovers it: by its socket and its file, beside a daemon that does not know it', async () => {
    const here = await lab('lab');
    const yaml = join(here.place, 'wedgewatch/config.yaml');
    const socket = /qmp: ([^,]+),/.exec(await readFile(yaml, 'utf8'))?.[1] ?? '';
    await writeFile(yaml, 'discover: {enabled: false}\ndetect: {secondLook: 500ms}\n');
    const daemon = here.run(['run']);
    await expect
      .poll(
        () =>
          askStatus(controlSocket(here.place)).then(
            ({ pid }) => pid,
            () => 0,
          ),
        { timeout: 15_000 },
      )
      .toBe(daemon.pid);
    const named = ['vng', '--qmp', socket, '--console', here.console('lab')];
    const run = guard(here, [...named, '--', 'sh', '-c', `echo 1 >${here.place}/begun; sleep 61`]);
    await begun(join(here.place, 'begun'), async () => {
      const names = await readdir(join(here.place, 'wedgewatch'));
      return controlSocket(
        join(here.place, 'wedgewatch', names.find((name) => name.startsWith('guard-')) ?? ''),
      );
    });
    await here.print('lab', COMPLAINT);
    expect(await ended(run, 18_000)).toBe(1);
    expect(run.said()).toMatch(/^wedgewatch: vng: job:100 /m);
    expect((await here.names()).filter((name) => name.includes('.vng.'))).toHaveLength(1);
  }, 30_000);
});

it('is itself the daemon for whoever asks, and a second one follows it', async () => {
  const here = await lab('lab');
  const first = guard(here, ['--', 'sh', '-c', `echo 1 >${here.place}/begun; sleep 3`]);
  await begun(join(here.place, 'begun'), () => Promise.resolve(here.control));
  const second = guard(here, ['--', 'sh', '-c', 'sleep 1; exit 5']);
  expect((await askStatus(here.control)).pid).toBe(first.pid);
  expect(await ended(second, 15_000)).toBe(5);
  expect(await ended(first, 15_000)).toBe(0);
});

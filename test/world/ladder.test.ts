/**
 * What a capture brings under each loglevel and mask of the guest, with SSH and without: which rung of the ladder, in
 * which words, with which exit code. And whether a guest is armed, before: seen from outside.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Incident } from '../../src/core/report/incident.js';
import type { Check } from '../../src/daemon/check.js';
import { askStatus, controlSocket } from '../../src/daemon/control.js';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { mainOf } from './by-hand.js';
import { consoleOf, guestUnit, newVm, startGuest, waitForSsh } from './guests.js';
import { user, World } from './world.js';

const [keys, fixed] = [newVm(), newVm()];
/**
 * Nothing here is wedged, and the capture is by hand: no look may come in between on a busy host. The ladder is for guests
 * whose memory cannot be read.
 */
const CONFIG = `memory: off
ssh: {timeout: 10s, failures: 20}
detect: {silence: 1h, bootSilence: 1h}
overrides: [{match: ${fixed}, arm: fix}]
symbols: {systemMap: /home/dev/System.map}
`;
const LINKED_AT = 0xffffffff81000000n;

let world: World;
let hands: Hands;

/** A shell in the guest, by one login: it outlives the guest's SSH server. */
class Hands {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(vm: string) {
    const [file = '', ...args] = world.asDev(['ssh', '-T', vm, 'sh']);
    this.#child = spawn(file, args);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Runs a command and returns what it printed. */
  async run(command: string): Promise<string> {
    this.#child.stdin.write(`${command}\necho end-of-answer\n`);
    const said: string[] = [];
    for (;;) {
      const line = await this.#lines.next();
      if (line.done === true) throw new Error(`the shell ended: ${said.join('\n')}`);
      if (line.value === 'end-of-answer') return said.join('\n');
      said.push(line.value);
    }
  }

  end(): void {
    this.#child.kill();
  }
}

/** Exit code and output of a verb, as the user. */
async function verb(args: string): Promise<{ code: number; out: string }> {
  const said = await world.dev(
    ['sh', '-c', `${mainOf(world).join(' ')} --quiet ${args}; echo "exit $?"`],
    180_000,
  );
  const [, out = '', code = ''] = /^([^]*?)\n?exit (\d+)$/.exec(said.trimEnd()) ?? [];
  return { code: Number(code), out };
}

/** What `status` prints of a guest. */
async function statusOf(vm: string) {
  const { guests } = await askStatus(controlSocket(world.outside(user.runtime)));
  return guests.find((guest) => guest.vm === vm);
}

const becomes = (ask: () => Promise<unknown>, expected: unknown) =>
  expect.poll(ask, { timeout: 60_000, interval: 100 }).toEqual(expected);

beforeAll(async () => {
  world = await World.up(await buildGuest(guestCache(), { log: () => undefined }));
  await world.write(join(user.home, '.config/wedgewatch/config.yaml'), CONFIG);
  await world.dev(['systemd-run', '--user', '--quiet', '--unit=wedgewatch', '--', ...mainOf(world), 'run']);
  await startGuest(world, { vm: keys, mode: 'none', port: 2410, append: 'loglevel=4' });
  await startGuest(world, { vm: fixed, mode: 'none', port: 2411, append: 'quiet wedge.sysrq=16' });
  for (const vm of [keys, fixed]) await waitForSsh(world, vm);
  hands = new Hands(keys);
});

afterAll(async () => {
  hands.end();
  await world.down();
});

interface Row {
  mask: number;
  level: number;
  ssh: 'answers' | 'is lost';
  code: 0 | 4;
  /** Each rung that was tried, with its outcome. */
  rungs: readonly string[];
  /** Why the evidence is not whole. */
  because?: string[];
}

const byKeys = { ssh: 'answers', code: 0, rungs: ['send-key worked'] } as const;
const overSsh = { ssh: 'answers', code: 0, rungs: ['send-key failed', 'sysrq-trigger worked'] } as const;
const noKeys = { ssh: 'is lost', code: 4, rungs: ['send-key failed', 'registers worked'] } as const;

const ROWS: Row[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((level) => ({ mask: 1, level, ...byKeys })),
  ...[0, 8, 16, 438].map((mask) => ({ mask, level: 4, ...overSsh })),
  { mask: 1, level: 4, ...byKeys, ssh: 'is lost' },
  {
    mask: 438,
    level: 4,
    ...noKeys,
    because: ['the guest refuses its dumps: kernel.sysrq=438 lacks bit 8'],
  },
  {
    ...{ mask: 16, level: 4 },
    ...noKeys,
    because: ["the guest refuses its dumps: kernel.sysrq lacks bit 8, as systemd's default 16 does"],
  },
  {
    ...{ mask: 8, level: 4 },
    ...noKeys,
    because: [
      'sysrq-w.1: no task lines: nothing is blocked, or the console loglevel hides them',
      'sysrq-t: the bodies are hidden: the console loglevel is below 7',
    ],
  },
  {
    ...{ mask: 0, level: 4 },
    ssh: 'is lost',
    code: 4,
    rungs: ['send-key failed', 'input-send-event failed', 'second-keyboard failed', 'registers worked'],
    because: ['the guest does not answer Alt+SysRq: kernel.sysrq set to 0 since it was 438'],
  },
];

describe('a healthy guest', () => {
  const gaps = [
    ['debian', 438, 'kernel.sysrq=438 lacks bit 8', /GRUB_CMDLINE_LINUX .* update-grub/],
    ['fedora', 16, 'kernel.sysrq=16 lacks bit 8', /grubby --update-kernel=ALL --args=sysrq_always_enabled/],
    ['nixos', 16, 'kernel.sysrq=16 lacks bit 8', /boot\.kernel\.sysctl\."kernel\.sysrq" = 1;/],
  ] as const;

  const sysrqOf = async () => {
    const { code, out } = await verb(`doctor ${keys} --json`);
    return { code, check: (JSON.parse(out) as Check[]).find(({ what }) => what === `${keys}: SysRq`) };
  };

  test('is armed where it hears its keys and lets dumps through', async () => {
    await becomes(async () => (await statusOf(keys))?.armed, 'yes');
    expect(await sysrqOf()).toMatchObject({
      check: { result: 'ok', detail: expect.stringMatching(/^armed: yes/) as string },
    });
  });

  test.for(gaps)('is told by doctor how a %s is armed', async ([os, mask, detail, fix]) => {
    await hands.run(
      `mkdir -p /etc /boot; echo ID=${os} >/etc/os-release; echo ${mask} >/proc/sys/kernel/sysrq`,
    );
    expect(await sysrqOf()).toMatchObject({
      code: 5,
      check: { result: 'fault', detail, fix: expect.stringMatching(fix) as string },
    });
  });

  test('is told by doctor which symbols its own kernel lacks', async () => {
    const symbols = ['MAGIC_SYSRQ', 'INPUT', 'SERIO', 'SERIO_I8042', 'STACKTRACE', 'MODULES'];
    await hands.run(
      `for name in ${symbols.join(' ')}; do echo CONFIG_$name=y; done >/boot/config-$(uname -r)`,
    );
    expect((await sysrqOf()).check).toMatchObject({
      detail: 'its kernel lacks CONFIG_INPUT_KEYBOARD, CONFIG_KEYBOARD_ATKBD',
      fix: "build the guest's kernel with CONFIG_INPUT_KEYBOARD=y, CONFIG_KEYBOARD_ATKBD=y",
    });
    await hands.run('rm /boot/config-* /etc/os-release');
  });

  test('is armed over SSH where the configuration says so, and the journal has it', async () => {
    const set = 'set over SSH, kernel.sysrq was 16, the loglevel 4';
    await becomes(async () => (await statusOf(fixed))?.armed, `yes: ${set}`);
    expect(await world.dev(['ssh', fixed, 'cat /proc/sys/kernel/sysrq /proc/sys/kernel/printk'])).toMatch(
      /^1\n7\t/,
    );
    const log = await world.dev(['journalctl', '--user-unit=wedgewatch.service', '--output=cat']);
    expect(log).toContain(`${fixed}: arm: fix: ${set}`);
    expect(log).not.toContain(`${keys}: arm: fix`);
  });
});

/** The System.map of the guest's kernel, which the demo's package has not: out of the relocated one, put back. */
async function writeSystemMap(): Promise<void> {
  await world.dev(['sh', '-c', `ssh ${keys} "grep -i ' t [^[]*$' /proc/kallsyms" >kallsyms`]);
  const text = await readFile(world.outside(join(user.home, 'kallsyms')), 'utf8');
  const by = BigInt(`0x${/^(\S+) T _text$/m.exec(text)?.[1] ?? 0}`) - LINKED_AT;
  const linked = text.replace(/^[0-9a-f]{16}/gm, (address) => (BigInt(`0x${address}`) - by).toString(16));
  await world.write(join(user.home, 'System.map'), linked);
}

describe('a capture', () => {
  beforeAll(writeSystemMap);

  test.for(ROWS)('of a guest with mask $mask and loglevel $level, whose SSH $ssh', async (row) => {
    const { mask, level, ssh, code, rungs, because = [] } = row;
    await hands.run(`echo ${mask} >/proc/sys/kernel/sysrq; echo ${level} >/proc/sys/kernel/printk`);
    if (ssh === 'is lost') {
      await hands.run('kill $(pidof nc) 2>/dev/null; true');
      await becomes(async () => (await statusOf(keys))?.ssh?.kind, 'refused');
    }
    const began = performance.now();
    const captured = await verb(`capture ${keys} --json`);
    const incident = JSON.parse(captured.out) as Incident;
    tell(row, incident, captured.code, performance.now() - began);
    expect(captured.code).toBe(code);
    expect(rungsOf(incident)).toEqual(rungs);
    expect(incident.evidence).toMatchObject({ complete: code === 0, incompleteBecause: because });
    for (const { rung, detail } of incident.capture)
      if (rung === 'registers')
        expect(detail).toMatch(/vCPU 0 .* at \w+\+0x[0-9a-f]+\/0x[0-9a-f]+ \(0x[0-9a-f]{16}\)/);
    expect(incident.verdict.class).toBe(code === 0 ? 'none' : 'unknown');
    expect(await hands.run('cat /proc/sys/kernel/printk')).toMatch(new RegExp(`^${level}\t`));
  });

  test('does not delay the stop of its guest', async () => {
    const stop = async (vm: string) => {
      const began = performance.now();
      await world.dev(['systemctl', '--user', 'stop', guestUnit(vm)]);
      return performance.now() - began;
    };
    const alone = await stop(keys);
    const capture = verb(`capture ${fixed} --json`);
    await becomes(async () => (await statusOf(fixed))?.busy, true);
    const meanwhile = await stop(fixed);
    process.stdout.write(
      `stop: ${alone.toFixed(0)} ms, in the middle of a capture ${meanwhile.toFixed(0)} ms\n`,
    );
    expect(meanwhile).toBeLessThan(alone + 2_000);
    expect(await consoleOf(world, fixed)).toContain('power button: shutting down');
    expect((await capture).code).not.toBe(0);
    await becomes(async () => (await statusOf(fixed))?.state, 'gone');
  });
});

const rungsOf = ({ capture }: Incident) =>
  capture.flatMap(({ rung, outcome }) => (outcome === 'skipped' ? [] : [`${rung} ${outcome}`]));

/** A row of docs/ladder.md. */
function tell({ mask, level, ssh }: Row, incident: Incident, code: number, tookMs: number): void {
  const { complete, incompleteBecause } = incident.evidence;
  const cells = [mask, level, ssh, rungsOf(incident).join(', '), code, incident.verdict.class];
  const doubts = complete ? 'whole' : incompleteBecause.join('; ');
  process.stdout.write(`| ${[...cells, doubts, `${(tookMs / 1000).toFixed(1)} s`].join(' | ')} |\n`);
}

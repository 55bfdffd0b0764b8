/** Guests in which tasks want to run and never do. */
import { expect, it } from 'vitest';
import type { Look, SysrqKey, Task } from '../../../src/core/model.js';
import { guestStatus } from '../../../src/core/watch/status.js';
import { memoryAt, recordedTasks } from '../../support/memory-dumps.js';
import type { Script } from '../../support/script.js';
import { answers, booted, golden, healthyFor, running, VirtualGuest } from '../../support/virtual-guest.js';

const WEDGE = 30_000;
const held = answers(golden('rt-starvation'));
const idle = answers(golden('idle'));
/** Both vCPUs want to run all the time, and the host lets them for this share of it. */
const runFor =
  (share: number) =>
  (at: number): Look => ({
    ...running,
    shares: [],
    qmp: {
      ok: true,
      runState: 'running',
      vcpus: [0, 1].map((index) => ({
        ...{ index, threadId: 9 + index, cpuMs: share * at, waitedMs: (1 - share) * at },
      })),
      block: null,
    },
  });
const look = runFor(1);
/** The same guest, all of whose programs want to run. */
const wanting = (key: SysrqKey) =>
  idle(key).map((line) => line.replace(/(task:(?:init|dropbear|sh|sleep|cat) +state:)S/, '$1R'));

it('real-time tasks that hold every CPU, as a real guest printed it: the scheduler proves it at once', () => {
  const guest = booted(new VirtualGuest({ ssh: healthyFor(WEDGE), press: held, look })).run(60_000);
  expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['starved']);
  expect(guest.findings[0]?.analysis.verdict.title).toMatch(
    /^hog:\d+, hog:\d+ hold every CPU at real-time priority/,
  );
  expect((guest.findings[0]?.capturedAt ?? Infinity) - WEDGE).toBeLessThanOrEqual(20_000);
  const status = guestStatus(guest.state, guest.settings, guest.now);
  expect(status).toMatchObject({ state: 'held', class: 'starved' });
  expect(status.evidence.map(({ side }) => side)).toEqual(['console', 'ssh', 'qemu', 'host']);
});

it('more tasks than CPUs want to run for a minute: it may be work until then', () => {
  const guest = booted(new VirtualGuest({ ssh: healthyFor(WEDGE), press: wanting, look }));
  guest.run(50_000);
  expect(guest.findings).toEqual([]);
  guest.run(70_000);
  const [finding] = guest.findings;
  expect(finding?.analysis.verdict.class).toBe('starved');
  expect(finding?.analysis.verdict.title).toMatch(/9 tasks want to run on 2 busy vCPUs: init:1, /);
});

it('a guest that is as busy for half a minute is not accused', () => {
  const ssh = (at: number) => (at < WEDGE || at > 2 * WEDGE ? 'ok' : 'timed-out');
  const guest = booted(new VirtualGuest({ ssh, press: wanting, look })).run(120_000);
  expect(guest.findings).toEqual([]);
  expect(guestStatus(guest.state, guest.settings, guest.now).class).toBe('healthy');
});

/** Its memory: from WEDGE on two loops, so often switched, keep a server from running. */
const kept = (switches: (at: number, pid: number) => number) => (at: number) => {
  const resting = recordedTasks('idle');
  const dump = memoryAt(resting, at, { since: null, busy: at >= WEDGE });
  if (at < WEDGE) return dump;
  const made: Task = { ...(resting[0] as Task), state: 'R' };
  const loops = [900, 901].map((pid) => ({
    ...made,
    comm: 'loop',
    pid,
    onCpu: true as const,
    switches: switches(at, pid),
  }));
  const waits = {
    ...made,
    comm: 'sshd',
    pid: 300,
    queued: true as const,
    offCpuSeconds: (at - WEDGE) / 1000,
  };
  return { ...dump, tasks: [...dump.tasks, ...loops, waits] };
};

it.each([
  ['all the time has its memory on disk at once', () => 4, ['looking', 'opening', 'holding']],
  [
    "but for the kernel's own stopper, now and then, has it too",
    (at: number) => 4 + Math.floor(at / 1_000),
    ['looking', 'opening', 'holding'],
  ],
  ['and is switched is looked at no sooner than others', (at: number) => at, []],
  ['but one that is switched neither', (at: number, pid: number) => (pid === 901 ? at : 4), []],
])('a loop that holds every CPU %s', (_, switches, stages) => {
  const life = { ssh: healthyFor(WEDGE), press: held, memory: kept(switches), look: () => running };
  const guest = booted(new VirtualGuest(life));
  guest.lines(['a job has begun'], WEDGE);
  guest.run(WEDGE + 5_500);
  expect(guest.stages).toEqual(stages);
  if (stages.length > 0)
    expect(guest.state.why[1]).toMatch(
      /^memory shows that loop:900 \(\+1 others\) keeps every CPU from tasks/,
    );
});

it.each([
  ['half of the time: its CPUs are held all the same', 0.55, 1],
  ['hardly ever: its scheduler may not have had the time', 0.3, 0],
])('a loop that holds every CPU of a guest that its host runs %s', (_, share, cases) => {
  const life = { ssh: healthyFor(WEDGE), press: held, memory: kept(() => 4), look: runFor(share) };
  const guest = booted(new VirtualGuest(life));
  guest.lines(['a job has begun'], WEDGE);
  guest.run(WEDGE + 5_500);
  expect(guest.stages.filter((stage) => stage === 'opening')).toHaveLength(cases);
});

it('loops whose guest is lost for a while are in one case: its memory is that of the first seconds', () => {
  const config = 'detect: {secondLook: 1s}';
  const life = { config, ssh: healthyFor(WEDGE), press: held, memory: kept(() => 4), look };
  const guest = booted(new VirtualGuest(life)).run(60_000);
  expect(guest.stages.filter((stage) => stage === 'opening')).toHaveLength(1);
  const [finding] = guest.findings;
  expect(finding?.analysis.verdict.class).toBe('starved');
  expect((finding?.suspectAt ?? Infinity) - WEDGE).toBeLessThanOrEqual(3_000);
  expect((finding?.capturedAt ?? Infinity) - WEDGE).toBeLessThanOrEqual(16_000);
});

it.each([
  ['native_queued_spin_lock_slowpath', 'asking'],
  ['__sysvec_apic_timer_interrupt', 'holding'],
])('a CPU in %s with interrupts off, in two snapshots: %s', (symbol, stage) => {
  const frame = { symbol, offset: 93, size: 272, module: null, reliable: true };
  const deaf = (at: number) => {
    const dump = kept(() => 4)(at);
    if (at < WEDGE) return dump;
    return { ...dump, cpus: dump.cpus.map((cpu) => ({ ...cpu, interruptsOff: true, frames: [frame] })) };
  };
  const guest = booted(new VirtualGuest({ ssh: healthyFor(WEDGE), press: held, memory: deaf, look }));
  guest.lines(['a job has begun'], WEDGE);
  guest.run(WEDGE + 5_500);
  expect(guest.stages.slice(0, 3)).toEqual(['looking', 'opening', stage]);
});

it('loops of which a snapshot met one between two stacks are held all the same, until memory is whole', () => {
  const reads: number[] = [];
  const torn: Script['memory'] = (at) => {
    const dump = kept(() => 4)(at);
    if (at < WEDGE) return dump;
    reads.push(at);
    return reads.length > 3 ? dump : { ...dump, complete: false, incompleteBecause: ['1 task runs'] };
  };
  const guest = booted(new VirtualGuest({ ssh: healthyFor(WEDGE), press: held, memory: torn, look }));
  guest.lines(['a job has begun'], WEDGE);
  guest.run(WEDGE + 5_500);
  expect(guest.stages).toEqual(['looking', 'opening', 'holding']);
  expect(guest.state.case?.stage).toMatchObject({ weighed: reads.length > 3 });
  guest.run(25_000);
  expect(reads.length).toBeGreaterThan(3);
  expect(guest.stages.filter((stage) => stage === 'opening')).toHaveLength(1);
  expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['starved']);
});

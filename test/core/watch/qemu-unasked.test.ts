/** A guest whose QEMU cannot be asked, since somebody else holds its socket: what memory shows alone. */
import { expect, it } from 'vitest';
import type { Look } from '../../../src/core/model.js';
import { memoryAt, recordedTasks } from '../../support/memory-dumps.js';
import type { Script } from '../../support/script.js';
import { booted, healthyFor, running, VirtualGuest } from '../../support/virtual-guest.js';

const WEDGE = 30_000;
const titles = ({ findings }: VirtualGuest) => findings.map(({ analysis }) => analysis.verdict.title);

/** `state`: of the server of its share. */
const unasked = (state: string) => (): Look => ({
  ...running,
  shares: [{ tag: 'store', socket: '/s', server: { pid: 7, comm: 'virtiofsd', state, cpuMs: 5 } }],
  qmp: { ok: false, fault: 'busy', detail: 'somebody else talks to QEMU' },
});

/** What `name` shows, blocked at the same place since then; null: it moves. */
const shows =
  (name: string, since: number | null): NonNullable<Script['memory']> =>
  (at) =>
    memoryAt(recordedTasks(name), at, { since: since !== null && at < since ? null : since });

const lifeOf = (script: Script, state = 'S') =>
  booted(new VirtualGuest({ press: () => null, look: unasked(state), ...script }));

it.each(['page-in', 'writeback'])(
  'one that is slow, and whose blocked tasks move (%s), is not accused',
  (name) => {
    const ssh = (at: number) =>
      at < WEDGE || at > WEDGE + 28_000 ? ('ok' as const) : ('timed-out' as const);
    const guest = lifeOf({ ssh, memory: shows(name, null) }).run(120_000);
    expect(titles(guest)).toEqual([]);
  },
);

it('one whose task stands for some seconds only is looked at again', () => {
  const memory: Script['memory'] = (at) => shows('page-in', at < 42_000 ? 33_000 : null)(at);
  const ssh = (at: number) => (at < WEDGE || at > 42_000 ? ('ok' as const) : ('timed-out' as const));
  expect(titles(lifeOf({ ssh, memory }).run(120_000))).toEqual([]);
});

it.each([
  ['lives', 'S', 45_000],
  ['is dead', 'T', 15_000],
])('one that is wedged on a share whose server %s is filed all the same', (_, state, within) => {
  const script = { ssh: healthyFor(WEDGE), memory: shows('page-in', WEDGE) };
  const guest = lifeOf(script, state).run(120_000);
  expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['blocked']);
  expect((guest.findings[0]?.capturedAt ?? Infinity) - WEDGE).toBeLessThan(within);
});

it('a disk that cannot be asked may move: a task that waits for it for minutes accuses nobody while SSH answers', () => {
  const guest = lifeOf({ memory: shows('writeback', WEDGE) }).run(WEDGE + 600_000);
  expect(titles(guest)).toEqual([]);
});

it('a task that waits for a share alone needs no word of QEMU', () => {
  const guest = lifeOf({ memory: shows('fuse-stopped', WEDGE) }).run(WEDGE + 120_000);
  expect(titles(guest)).toHaveLength(1);
});

/** What a guest is accused of while its shares' server is slow, not known, stopped or gone: two ways to seem lost. */
import { describe, expect, it } from 'vitest';
import type { Look, Share } from '../../../src/core/model.js';
import { guestStatus } from '../../../src/core/watch/status.js';
import { answers, booted, golden, running, VirtualGuest } from '../../support/virtual-guest.js';

const AT = 30_000;
const exec = answers(golden('exec'));
const pageIn = answers(golden('page-in'));
const SOCKET = '/run/user/1000/virtiofsd/vm-1a2b3c4d-store/virtiofsd.sock';
const share = { tag: 'store', kind: 'fs', socket: SOCKET };

type Server = (at: number) => Share;
const found = (state: string, cpuMs: number): Share => ({
  ...share,
  serverIs: 'running',
  server: { pid: 7, comm: 'virtiofsd', state, cpuMs },
});
/** It needs a millisecond of a CPU in five seconds. */
const slow: Server = (at) => found('S', 1_000 + at / 5_000);
const unknown: Server = () => ({ ...share, serverIs: 'unknown', because: 'it hides', server: null });
const stopped: Server = () => found('T', 100);
const gone: Server = () => ({ ...share, serverIs: 'gone', server: null });

const looks = (server: Server) => (at: number): Look => ({ ...running, shares: [server(at)] }); // prettier-ignore
/** One command takes 25 s. */
const slowCommand = (at: number) => (at >= AT && at < AT + 62_000 ? 25_000 : 400);
const away = (at: number) => (at >= AT && at < AT + 13_000 ? ('timed-out' as const) : ('ok' as const));

const FOUR: [string, ConstructorParameters<typeof VirtualGuest>[0]][] = [
  ['an exec under way, and one slow command', { press: exec, command: slowCommand }],
  ['an exec under way, and SSH away for 13 s', { press: exec, ssh: away }],
  ['a page-in under way, and one slow command', { press: pageIn, command: slowCommand }],
  ['a page-in under way, and SSH away for 13 s', { press: pageIn, ssh: away }],
];
const live = (script: ConstructorParameters<typeof VirtualGuest>[0], server: Server) =>
  booted(new VirtualGuest({ ...script, look: looks(server) })).run(300_000);
const titles = ({ findings }: VirtualGuest) => findings.map(({ analysis }) => analysis.verdict.title);

describe.each(FOUR)('%s', (_case, script) => {
  it('its server works slowly: looked at, and not accused', () => {
    const guest = live(script, slow);
    expect(titles(guest)).toEqual([]);
    expect(guest.path).toContain('suspect');
    expect(guest.state.name).toBe('up');
  });

  it('its server is not known: looked at, and not accused', () => {
    const guest = live(script, unknown);
    expect(titles(guest)).toEqual([]);
    expect(guest.path).toContain('suspect');
    expect(guest.state.name).toBe('up');
  });

  it('its server is stopped: accused, as that', () => {
    expect(titles(live(script, stopped))).toEqual([
      expect.stringContaining('filesystem virtiofs:store (inferred; virtiofsd stopped)'),
    ]);
  });

  it('its server is proved to be gone: accused, as that', () => {
    expect(titles(live(script, gone))).toEqual([
      expect.stringContaining('filesystem virtiofs:store (inferred; virtiofsd gone)'),
    ]);
  });
});

describe('a server that is not known', () => {
  const lost = (at: number) => (at < AT ? ('ok' as const) : ('timed-out' as const));

  it.each([
    ['exec', exec],
    ['page-in', pageIn],
  ])('does not acquit who stands still for long: %s', (_case, press) => {
    const guest = live({ press, ssh: lost }, unknown);
    expect(titles(guest)).toEqual([
      expect.stringContaining('perhaps virtiofs:store (inferred; its server is not known)'),
    ]);
    expect(guest.findings[0]?.capturedAt).toBeLessThan(AT + 60_000);
    expect(guest.findings[0]?.analysis.verdict.reasons[0]).toMatch(/exactly the same stack/);
    expect(guest.findings[0]?.analysis.verdict.inferred.join()).toContain('it hides');
  });

  it('is named by status, with the reason', () => {
    const guest = live({ press: pageIn, ssh: lost }, unknown);
    const { evidence } = guestStatus(guest.state, guest.settings, guest.now);
    expect(evidence.find(({ side }) => side === 'qemu')?.says).toContain(
      'share store: server not known (it hides)',
    );
  });

  it('is what older recordings mean by none', () => {
    const older: Server = () => ({ tag: 'store', socket: '/s', server: null });
    for (const [, script] of FOUR) expect(titles(live(script, older))).toEqual([]);
  });
});

describe('a dump of the memory, which a dead server would make hang QEMU', () => {
  const config = 'ladder: {memoryDump: true}';
  const net = (one: Share): Share => ({ ...one, kind: 'net', tag: 'n0' });
  const rung = (look: () => Look) => {
    const guest = booted(new VirtualGuest({ press: () => [], config, look })).run(30_000);
    guest.later(0, { type: 'capture-asked', note: null, keys: null });
    return guest.run(60_000).findings[0]?.rungs.at(-1);
  };

  it.each<[string, () => Look, string, string]>([
    ['runs', looks(slow).bind(null, 0), 'worked', 'memory.elf'],
    ['is gone', looks(gone).bind(null, 0), 'skipped', 'the server of share store is gone'],
    ['is not known', looks(unknown).bind(null, 0), 'skipped', 'whether the server of share store runs is not known (it hides)'],
    ['is not known, of a network', () => ({ ...running, shares: [net(unknown(0))] }), 'skipped', 'share n0 runs is not known'],
    ['cannot be told without QEMU’s process', () => ({ ...running, qemu: null, shares: [] }), 'skipped', 'process was not found'],
  ])('a server that %s', (_case, look, outcome, detail) => {
    expect(rung(look)).toMatchObject({
      rung: 'memory-dump',
      outcome,
      detail: expect.stringContaining(detail) as string,
    });
  }); // prettier-ignore
});

it('a network whose server is gone holds up no file', () => {
  const dead: Server = () => ({ ...share, kind: 'net', tag: 'n0', serverIs: 'gone', server: null });
  for (const [, script] of FOUR) expect(titles(live(script, dead)).join()).not.toContain('n0');
});

it('a server that stands in D itself, on a share of another machine, is named as that', () => {
  const blocked = (at: number): Share => {
    const server = { pid: 7, comm: 'virtiofsd', state: 'S', cpuMs: 100 };
    const on = ['nfs4 of filer:/export (/srv)'];
    const thread = { tid: 8, comm: 'pool', forMs: Math.max(0, at - AT), wchan: 'rpc_wait_bit_killable', on };
    return { ...share, serverIs: 'running', server: { ...server, ...(at > AT && { blocked: thread }) } };
  };
  const lost = (at: number) => (at >= AT ? ('timed-out' as const) : ('ok' as const));
  const lived = live({ press: pageIn, ssh: lost }, blocked);
  expect(titles(lived)).toEqual([
    expect.stringContaining(
      'filesystem virtiofs:store (inferred; virtiofsd is itself stuck in D on nfs4 of filer:/export',
    ),
  ]);
  // A title is cut before it has told all.
  expect(lived.findings[0]?.analysis.verdict.reasons).toContain(
    'The server of store, virtiofsd (pid 7), is itself stuck in D on nfs4 of filer:/export (/srv), in rpc_wait_bit_killable.',
  );
});

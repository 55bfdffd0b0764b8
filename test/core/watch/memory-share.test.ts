/** Of several shares it is the one that memory names whose server counts. */
import { describe, expect, it } from 'vitest';
import type { Look } from '../../../src/core/model.js';
import { memoryAt, recordedTasks } from '../../support/memory-dumps.js';
import type { Script } from '../../support/script.js';
import { answers, booted, golden, healthyFor, running, VirtualGuest } from '../../support/virtual-guest.js';

const WEDGE = 30_000;

describe('the share that memory names', () => {
  const from = (tag: string) =>
    recordedTasks('page-in').map((task) => {
      const filesystem = { type: 'virtiofs', source: tag, on: '/mnt/store' };
      const folio = { kind: 'folio' as const, text: '/big index 2', filesystem, state: 'locked' as const };
      return task.state === 'D' ? { ...task, objects: [folio] } : task;
    });
  const filed = (tag: string) => {
    const tasks = from(tag);
    const memory: Script['memory'] = (at) => memoryAt(tasks, at, { since: at < WEDGE ? null : WEDGE });
    const two = (): Look => ({
      ...running,
      shares: [
        { tag: 'dead', socket: '/d', server: { pid: 8, comm: 'virtiofsd', state: 'T', cpuMs: 3 } },
        { tag: 'alive', socket: '/a', server: { pid: 9, comm: 'virtiofsd', state: 'S', cpuMs: 3 } },
      ],
    });
    const script = { ssh: healthyFor(WEDGE), press: answers(golden('page-in')), memory, look: two };
    const guest = booted(new VirtualGuest(script));
    guest.lines(['a job has begun'], WEDGE);
    guest.run(60_000);
    return (guest.findings[0]?.capturedAt ?? Infinity) - WEDGE;
  };

  it('is the one whose server must stand still beside SSH that answers, whatever others do', () => {
    const stalled = (tag: string) => {
      const tasks = from(tag);
      const memory: Script['memory'] = (at) => memoryAt(tasks, at, { since: at < WEDGE ? null : WEDGE });
      const one = (name: string, pid: number, state: string, cpuMs: number) => ({
        ...{ tag: name, socket: `/${name}` },
        server: { pid, comm: 'virtiofsd', state, cpuMs },
      });
      const look = (at: number): Look => ({
        ...running,
        shares: [one('dead', 8, 'T', 3), one('alive', 9, 'S', Math.floor(at / 20))],
      });
      const guest = booted(new VirtualGuest({ press: answers(golden('page-in')), memory, look }));
      guest.run(WEDGE + 600_000);
      return (guest.findings[0]?.capturedAt ?? Infinity) - WEDGE;
    };
    expect(stalled('dead')).toBeLessThanOrEqual(90_000);
    expect(stalled('alive')).toBe(Infinity);
  });

  it('is the one whose server counts', () => {
    expect(filed('dead')).toBeLessThanOrEqual(6_000);
    expect(filed('alive')).toBeGreaterThanOrEqual(8_000);
  });
});

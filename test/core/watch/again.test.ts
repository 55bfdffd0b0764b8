/** Dumps with holes: asked for once more where that can help, and never called whole. */
import { describe, expect, it } from 'vitest';
import type { SysrqKey } from '../../../src/core/model.js';
import { answers, booted, golden, healthyFor, VirtualGuest } from '../../support/virtual-guest.js';

const whole = answers(golden('page-in'));

function wedged(press: (key: SysrqKey, nth: number) => string[], config = ''): VirtualGuest {
  const seen = new Map<SysrqKey, number>();
  const counting = (key: SysrqKey) => {
    const nth = (seen.get(key) ?? 0) + 1;
    seen.set(key, nth);
    return press(key, nth);
  };
  return booted(new VirtualGuest({ ssh: healthyFor(30_000), press: counting, config })).run(140_000);
}

/** The dump with its second half's first lines gone. */
const dropped = (lines: string[]) => [
  ...lines.slice(0, 40),
  '** 12 printk messages dropped **',
  ...lines.slice(52),
];

it('asks once more for a dump whose records were dropped, and counts the whole one', () => {
  const guest = wedged((key, nth) => (key === 't' && nth === 1 ? dropped(whole(key)) : whole(key)));
  expect(guest.pressed.join('')).toBe('8whwhthth7');
  const [finding] = guest.findings;
  expect(finding).toMatchObject({ complete: true, incompleteBecause: [] });
  expect(finding?.evidence.map(({ name }) => name)).toEqual(['sysrq-w.1', 'sysrq-w.2', 'sysrq-t']);
  expect(finding?.evidence[2]?.lines).toBeGreaterThan(1.9 * whole('t').length);
});

it('does not ask a third time, and says what is missing', () => {
  const guest = wedged((key) => (key === 't' ? dropped(whole(key)) : whole(key)));
  expect(guest.pressed.join('')).toBe('8whwhthth7');
  expect(guest.findings[0]?.incompleteBecause).toContain('sysrq-t: 12 printk messages dropped inside it');
});

describe('a dump of all tasks that breaks off', () => {
  const cut = (key: SysrqKey, fences: number) => key === 'h' && fences > 2 && fences <= 5;
  const press = (key: SysrqKey, nth: number) => (cut(key, nth) ? [] : whole(key));

  it('is asked for again when journald counts anew', () => {
    const guest = wedged(press);
    expect(guest.pressed.join('')).toBe('8whwhthhhth7');
    expect(guest.findings[0]).toMatchObject({ complete: true, incompleteBecause: [] });
  });

  it('is not where it comes through a file, which leaves nothing out', () => {
    const guest = wedged(press, 'guests:\n  - {name: vm1, console: "file:/c"}');
    expect(guest.pressed.join('')).toBe('8whwhthhh7');
    expect(guest.findings[0]?.incompleteBecause.join()).toMatch(/sysrq-t: ended by silence/);
    expect(guest.findings[0]?.incompleteBecause.join()).not.toMatch(/journald/);
  });

  it('may have been cut by journald, it says, where that happens twice', () => {
    const guest = wedged((key, nth) => (key === 'h' && nth > 2 ? [] : whole(key)));
    expect(guest.pressed.join('')).toBe('8whwhthhhthhh7');
    expect(guest.findings[0]?.incompleteBecause.join('\n')).toMatch(
      /sysrq-t: the console broke off after \d+ lines: journald's rate limit is likely/,
    );
  });
});

describe('answers that nobody asked for', () => {
  const STRAY = /answers? to Alt\+SysRq that nobody asked for/;
  const HELP = '[   99.000000] sysrq: HELP : loglevel(0-9) reboot(b)';

  it('are told of: a program ends a dump before its time', () => {
    const forged = (key: SysrqKey) => {
      const lines = whole(key);
      return key === 'w' ? [...lines.slice(0, 4), HELP, ...lines.slice(4)] : lines;
    };
    const [finding] = wedged(forged).findings;
    expect(finding?.complete).toBe(false);
    expect(finding?.incompleteBecause.join('\n')).toMatch(STRAY);
  });

  it('are none where a lost fence is pressed again and both are answered in the end', () => {
    let late: string[] = [];
    const guest = wedged((key, nth) => {
      if (key !== 'h') return whole(key);
      if (nth === 1) {
        late = whole('h');
        return [];
      }
      const both = [...late, ...whole('h')];
      late = [];
      return both;
    });
    expect(guest.findings[0]).toMatchObject({ complete: true, incompleteBecause: [] });
  });

  it("are none where the proof's own comes late, once a capture has begun", () => {
    let raised = 0;
    const press = (key: SysrqKey) => {
      if (key !== '8') return whole(key);
      raised += 1;
      return raised === 1 ? [] : [HELP, ...whole('8')];
    };
    const guest = booted(new VirtualGuest({ press })).run(30_000);
    guest.later(0, { type: 'proof', problem: null });
    guest.later(10, { type: 'capture-asked', note: null, keys: null });
    guest.run(30_000);
    expect(guest.findings[0]).toMatchObject({ complete: true, incompleteBecause: [] });
    expect(guest.state.arming).toMatchObject({ askedAt: null, heard: true });
  });
});

/** The analyst's answers: what it sees, that the decision waits for it, and what follows if it dies. */
import { describe, expect, it } from 'vitest';
import { type Answer, answerTo, type ReadDumps } from '../../../src/core/watch/analyst.js';
import type { GuestEvent } from '../../../src/core/watch/events.js';
import { replay, type TimelineStart } from '../../../src/core/watch/timeline.js';
import { step } from '../../../src/core/watch/step.js';
import { answers, booted, golden, healthyFor, VirtualGuest } from '../../support/virtual-guest.js';

const blocked = answers(golden('page-in'));
const DIED: Answer = { type: 'failed', why: 'it needed more than 512 MB' };
const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };

const wedged = (script: ConstructorParameters<typeof VirtualGuest>[0] = {}) =>
  booted(new VirtualGuest({ ssh: healthyFor(30_000), press: blocked, ...script }));

describe('the analyst', () => {
  it('reads a dump without its stacks, and judges all of them', () => {
    const lines = blocked('t');
    const read = answerTo({ type: 'read', dump: { name: 'sysrq-t', lines }, raised: true });
    expect(read).toMatchObject({ type: 'read', reading: { lossy: false } });
    const judged = answerTo({
      type: 'judge',
      dumps: [{ name: 'sysrq-w.1', lines: blocked('w') }],
      memory: null,
      raised: true,
      reported: [],
      context,
    });
    expect(judged.type === 'judged' && judged.told.verdict.class).toBe('blocked');
  });

  it('judges by the lines that it is given, whatever it read before', () => {
    const dump = { name: 'sysrq-w.1' as const, lines: blocked('w') };
    const read: ReadDumps = new Map();
    const readDump = () => answerTo({ type: 'read', dump, raised: true }, read);
    const other = { ...dump, lines: dump.lines.map((line) => line.replace(/pid:\s*\d+/, 'pid:999')) };
    const ask = (asked: typeof dump) => {
      const judged = answerTo(
        { type: 'judge', dumps: [asked], memory: null, raised: true, reported: [], context },
        read,
      );
      return judged.type === 'judged' ? judged.told : null;
    };
    const fresh = ask(dump);
    readDump();
    expect(ask(structuredClone(dump))).toEqual(fresh);
    readDump();
    expect(ask(other)?.dumps).not.toEqual(fresh?.dumps);
  });

  it('finds nothing in lines that are no dump', () => {
    const dump = { name: 'sysrq-w.1' as const, lines: ['hello'] };
    expect(answerTo({ type: 'read', dump, raised: true })).toEqual({ type: 'read', reading: null });
  });
});

describe('an analyst that dies', () => {
  it('costs the verdict and not the incident: the guest is filed once it is lost for long', () => {
    const guest = wedged({ analyst: () => DIED }).run(180_000);
    expect(guest.findings).toHaveLength(1);
    const [finding] = guest.findings;
    expect(finding?.analysis.verdict).toMatchObject({ class: 'unknown' });
    expect(finding?.incompleteBecause[0]).toBe('its dumps were not analysed: it needed more than 512 MB');
    expect(finding?.analysis.verdict.title).toContain('its dumps were not analysed');
    expect(finding?.complete).toBe(false);
    expect(guest.effects.filter(({ type }) => type === 'keep-dump').length).toBeGreaterThan(2);
  });

  it('accuses nobody whose SSH answers again', () => {
    const ssh = (at: number) => (at > 30_000 && at < 48_000 ? ('timed-out' as const) : ('ok' as const));
    const guest = wedged({ ssh, analyst: () => DIED }).run(180_000);
    expect(guest.findings).toEqual([]);
  });

  it('is replayed as it was', () => {
    const guest = wedged({ analyst: () => DIED });
    guest.run(180_000);
    const [start, ...recorded] = JSON.parse(JSON.stringify([...guest.timeline.lines()])) as [
      TimelineStart,
      ...GuestEvent[],
    ];
    const titles: string[] = [];
    // The daemon records an answer that failed behind the event that asked.
    const after = (effects: { type: string }[]) =>
      titles.push(...effects.flatMap((effect) => (effect.type === 'file' ? [effect.type] : [])));
    replay(structuredClone(start), withFailures(start, recorded), {
      after: (_state, _event, effects) => void after(effects),
    });
    expect(titles).toHaveLength(1);
  });
});

/** The events as a daemon would have recorded them, whose analyst died each time. */
function withFailures({ settings, state }: TimelineStart, events: readonly GuestEvent[]): GuestEvent[] {
  const all: GuestEvent[] = [];
  const give = (event: GuestEvent): void => {
    all.push(event);
    const asks = step(state as never, event, settings).some(({ type }) => type === 'analyse');
    if (asks) give({ type: 'analysed', at: event.at, answer: DIED });
  };
  for (const event of events) give(event);
  return all;
}

describe('what ends a capture', () => {
  it.each(['boot', 'gone'] as const)('a %s is decided on once the capture is judged', (type) => {
    const guest = wedged();
    while (guest.stages.at(-1) !== 'restoring') guest.run(100);
    const event: GuestEvent =
      type === 'boot'
        ? { type, at: guest.now, invocation: 'b', reason: 'QEMU was started' }
        : { type, at: guest.now, reason: 'its QMP socket is gone' };
    const effects = step(guest.state, event, guest.settings);
    expect(effects.at(-1)?.type).toBe('analyse');
    expect(guest.state.case?.stage.name).toBe('judging');
    expect(guest.state.name).toBe('capturing');
    const [question] = effects.flatMap((effect) => (effect.type === 'analyse' ? [effect.question] : []));
    const later = step(
      guest.state,
      { type: 'analysed', at: guest.now, answer: answerTo(question!) },
      guest.settings,
    );
    expect(later.map((effect) => effect.type)).toContain('file');
    expect(guest.state.name).toBe(type === 'boot' ? 'starting' : 'gone');
  });
});

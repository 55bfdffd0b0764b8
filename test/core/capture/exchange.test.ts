import { describe, expect, it } from 'vitest';
import {
  type Exchange,
  exchangeStep,
  type ExchangeEvent,
  type Press,
  startExchange,
} from '../../../src/core/capture/exchange.js';
import type { QmpFault, SysrqKey } from '../../../src/core/model.js';

const limits = { headerTimeout: 2_000, dumpTimeout: 60_000, dumpSilence: 5_000, maxPerHour: 3 };

/** One conversation, told event by event; times are those of the events. */
class Talk {
  readonly presses: Press[];
  exchange: Exchange;

  constructor(key: SysrqKey = 'w') {
    const { exchange, press } = startExchange(key, 0, 1);
    this.exchange = exchange;
    this.presses = [press];
  }

  private give(event: ExchangeEvent): this {
    const { exchange, press } = exchangeStep(this.exchange, event, limits);
    this.exchange = exchange;
    if (press !== null) this.presses.push(press);
    return this;
  }

  pressed(at: number, fault: QmpFault | null = null): this {
    const id = this.presses.at(-1)?.id ?? 0;
    return this.give({ type: 'pressed', at, id, fault, detail: fault === null ? '' : `QMP: ${fault}` });
  }

  line(at: number, text: string): this {
    return this.give({ type: 'line', at, text });
  }

  tick(at: number, blind?: string): this {
    return this.give({ type: 'tick', at, blind });
  }

  get keys(): string {
    return this.presses.map(({ key, slow }) => `${key}${slow ? ' slow' : ''}`).join(', ');
  }
}

const HEADER = '[   50.100000] sysrq: Show Blocked State';
const HELP = 'sysrq: HELP : loglevel(0-9) reboot(b) crash(c)';
const inBody = () => new Talk().pressed(60).line(100, HEADER).pressed(160);

describe('a fence', () => {
  it('ends the dump', () => {
    expect(inBody().line(170, `[   50.200000] ${HELP}`).exchange).toMatchObject({
      phase: 'done',
      endedBy: 'fence',
    });
  });

  it('may be stamped a little earlier, by another CPU', () => {
    expect(inBody().line(170, `[   50.000000] ${HELP}`).exchange.endedBy).toBe('fence');
  });

  it.each([
    ['without the stamp that the header has', HELP],
    ['out of an old log that the guest shows', `[   12.000000] ${HELP}`],
    ['within the words of a program', `[   50.200000] init: ${HELP}`],
    ['behind a program’s own tag', `init[1]: ${HELP}`],
  ])('is none %s', (_case, line) => {
    const talk = inBody().line(170, line);
    expect(talk.exchange).toMatchObject({ phase: 'body', endedBy: null });
    // It stays in the file all the same.
    expect(talk.exchange.lines).toContain(line);
    expect(talk.line(180, `[   50.300000] ${HELP}`).exchange.endedBy).toBe('fence');
  });

  it('needs no stamp where the kernel prints none', () => {
    const talk = new Talk().pressed(60).line(100, 'sysrq: Show Blocked State').pressed(160).line(170, HELP);
    expect(talk.exchange.endedBy).toBe('fence');
  });

  it('that was lost is pressed again, slower, twice', () => {
    const talk = inBody().tick(1_900).pressed(2_200).tick(4_000).pressed(4_300).tick(6_200);
    expect(talk.keys).toBe('w, h, h slow, h slow');
    expect(talk.exchange.endedBy).toBe('silence');
  });

  it('that QMP could not take is pressed again', () => {
    const talk = new Talk().pressed(60).line(100, HEADER).pressed(160, 'closed').tick(1_900).pressed(2_200);
    expect(talk.keys).toBe('w, h, h slow');
    expect(talk.line(2_300, `[   52.000000] ${HELP}`).exchange).toMatchObject({
      endedBy: 'fence',
      fault: null,
      quote: null,
    });
  });

  it('that QEMU refuses is not', () => {
    const talk = new Talk().pressed(60).line(100, HEADER).pressed(160, 'refused').tick(1_900).tick(5_200);
    expect(talk.keys).toBe('w, h');
    expect(talk.exchange).toMatchObject({ endedBy: 'silence', quote: 'QMP: refused' });
  });
});

describe('a chord', () => {
  it('that brought no header is pressed once more, slower', () => {
    const talk = new Talk().pressed(60).tick(2_100).pressed(2_400).tick(4_500);
    expect(talk.keys).toBe('w, w slow');
    expect(talk.exchange.endedBy).toBe('no-response');
  });

  it.each(['busy', 'no-greeting', 'main-loop-stuck', 'closed', 'timeout'] as const)(
    'that QMP could not take for now (%s) is pressed once more',
    (fault) => {
      const talk = new Talk().pressed(60, fault).tick(2_100).pressed(2_400);
      expect(talk.keys).toBe('w, w slow');
      expect(talk.line(2_500, HEADER).exchange).toMatchObject({ phase: 'body', fault: null, quote: null });
      const twice = new Talk().pressed(60, fault).tick(2_100).pressed(2_400, fault);
      expect(twice.exchange).toMatchObject({ endedBy: 'not-pressed', quote: `QMP: ${fault}`, fault });
    },
  );

  it.each(['missing', 'protocol', 'refused', 'no-permission'] as const)(
    'that QMP will not take the next time either (%s) is given up',
    (fault) => {
      expect(new Talk().pressed(60, fault).exchange).toMatchObject({ endedBy: 'not-pressed', fault });
    },
  );
});

it('measures the longest pause within the dump', () => {
  const talk = inBody().line(110, 'a').line(4_110, 'b').line(4_200, `[   54.000000] ${HELP}`);
  expect(talk.exchange.longestPauseMs).toBe(4_000);
});

describe('a console that cannot be read now', () => {
  const WHY = 'journalctl was killed by SIGKILL';

  it('is not silent: no chord more, and the dump goes on where it is read again', () => {
    const talk = inBody().line(1_000, 'task:a');
    for (let at = 1_500; at < 30_000; at += 500) talk.tick(at, WHY);
    expect(talk.keys).toBe('w, h');
    talk.line(30_100, `[   80.100000] ${HELP}`);
    expect(talk.exchange).toMatchObject({ endedBy: 'fence', longestPauseMs: 900 });
    const chord = new Talk().pressed(60).tick(5_000, WHY).tick(6_900);
    expect(chord.keys).toBe('w');
    expect(chord.tick(7_000).keys).toBe('w, w slow');
  });

  it('ends a dump at its deadline, with the reason', () => {
    for (const talk of [inBody(), new Talk().pressed(60)])
      expect(talk.tick(59_999, WHY).tick(60_000, WHY).exchange).toMatchObject({
        endedBy: 'deadline',
        quote: `its console could not be read: ${WHY}`,
      });
  });
});

describe('a console that is flooded', () => {
  const after = (kept: Partial<Exchange>, text: string) => {
    const talk = inBody();
    talk.exchange = { ...talk.exchange, ...kept };
    for (let n = 0; n < 20 && talk.exchange.phase !== 'done'; n += 1) talk.line(200, text);
    return talk.exchange;
  };

  it('ends the dump after 50,000 lines of something else', () => {
    const quote = expect.stringMatching(/50000 lines .* floods/) as string;
    expect(after({ noise: 49_990 }, 'a')).toMatchObject({ endedBy: 'too-large', quote });
    expect(after({ noise: 49_990 }, '[   50.200000] task:x').phase).toBe('body');
  });

  it('ends the dump after 400,000 lines, however short', () => {
    const lines = Array.from({ length: 399_990 }, () => HEADER);
    const end = { endedBy: 'too-large', quote: 'cut at 400000 lines' };
    expect(after({ lines }, '[   50.200000] x')).toMatchObject(end);
  });
});

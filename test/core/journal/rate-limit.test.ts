import { describe, expect, it } from 'vitest';
import { rateLimit, type RateLimitFacts } from '../../../src/core/journal/rate-limit.js';

const GIB = 2 ** 30;
const none: RateLimitFacts = { unit: { interval: null, burst: null }, journaldConf: '', disk: null };
const disk = (size: number, free: number, used = 0) => ({
  size: size * GIB,
  free: free * GIB,
  used: used * GIB,
});

describe('journald lets pass', () => {
  it('its default, where nothing is said', () => {
    expect(rateLimit(none)).toEqual({ intervalMs: 30_000, burst: 10_000, from: 'journald.conf' });
  });

  it.each([
    // A journal takes a tenth of its disk, 4 GiB at most, and leaves 15 %, 4 GiB at most, free.
    [disk(100, 50), 40_000],
    [disk(1000, 1000), 40_000],
    [disk(20, 20), 37_500],
    [disk(20, 2.5), 20_000],
    [disk(100, 50, 4), 10_000],
    [disk(100, 50, 3.75), 30_000],
  ])('more on a disk with room: %j', (room, burst) => {
    expect(rateLimit({ ...none, disk: room }).burst).toBe(burst);
  });

  it('what journald.conf says, where later lines win', () => {
    const journaldConf = `# /etc/systemd/journald.conf
[Journal]
#RateLimitBurst=1
RateLimitIntervalSec=1min
RateLimitBurst=500
# /etc/systemd/journald.conf.d/a.conf
[Journal]
RateLimitBurst = 700
SystemMaxUse=16M
`;
    expect(rateLimit({ ...none, journaldConf, disk: disk(100, 50) })).toEqual({
      intervalMs: 60_000,
      burst: 1400,
      from: 'journald.conf',
    });
    expect(rateLimit({ ...none, journaldConf: 'RateLimitIntervalSec=30\nRateLimitBurst=\n' })).toMatchObject({
      intervalMs: 30_000,
      burst: 10_000,
    });
  });

  it.each(['RateLimitIntervalSec=0', 'RateLimitBurst=0'])('everything with %s', (journaldConf) => {
    expect(rateLimit({ ...none, journaldConf }).burst).toBe(Infinity);
  });

  it('what the unit has of its own', () => {
    const unit = { interval: '1000000', burst: '10000000' };
    expect(rateLimit({ ...none, unit })).toEqual({ intervalMs: 1000, burst: 10_000_000, from: 'unit' });
    expect(rateLimit({ ...none, unit: { interval: null, burst: '20000' } })).toEqual({
      intervalMs: 30_000,
      burst: 20_000,
      from: 'unit',
    });
  });
});

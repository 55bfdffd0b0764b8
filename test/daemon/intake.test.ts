import { expect, it } from 'vitest';
import { RowSplitter } from '../../src/core/console/rows.js';
import { Intake } from '../../src/daemon/intake.js';
import { Turns } from '../../src/daemon/turns.js';

function intakeOf(turns: Turns) {
  const lines: string[] = [];
  const told: (number | null)[] = [];
  const intake = new Intake({
    turns,
    onItem: (item) => {
      if (item.type === 'line') lines.push(item.text);
    },
    conversing: () => false,
    onLeavingOut: (rows) => void told.push(rows),
  });
  const offer = (text: string) => {
    for (const rows of new RowSplitter().take(Buffer.from(text)))
      intake.offer({ ...rows, at: 1, wallMs: 1, replayed: false });
  };
  return { intake, lines, told, offer };
}

const flood = (rows: number) => Array.from({ length: rows }, (_, n) => `${n}\n`).join('');
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('decides at once on what is little', () => {
  const guest = intakeOf(new Turns());
  guest.offer('one\ntwo\n');
  expect(guest.lines).toEqual(['one', 'two']);
  expect(guest.intake.behind()).toBeNull();
});

it('ends a turn of the loop after about a thousand lines, however many wait', async () => {
  const guest = intakeOf(new Turns());
  guest.offer(flood(20_000));
  const counts = [guest.lines.length];
  for (let n = 0; n < 5; n += 1) {
    await turn();
    counts.push(guest.lines.length);
  }
  const each = counts.slice(1).map((count, n) => count - (counts[n] ?? 0));
  expect(Math.max(counts[0] ?? 0, ...each)).toBeLessThan(1_400);
  expect(Math.max(...each)).toBeGreaterThan(500);
});

it('does not let the rows of one guest wait for the flood of another', async () => {
  const turns = new Turns();
  const [noisy, quiet] = [intakeOf(turns), intakeOf(turns)];
  noisy.offer(flood(40_000));
  const before = noisy.lines.length;
  quiet.offer('a word\n');
  while (quiet.lines.length === 0) await turn();
  expect(noisy.lines.length - before).toBeLessThan(1_400);
});

it('leaves out, counts and says what comes faster than it is read', () => {
  const guest = intakeOf(new Turns());
  guest.offer(flood(300_000));
  expect(guest.told).toEqual([null]);
  const behind = guest.intake.behind();
  expect(behind?.leftOut).toBeGreaterThan(100_000);
  expect(behind?.rows).toBeLessThan(150_000);
});

it('lets its source wait, but not a file that is far ahead', async () => {
  const guest = intakeOf(new Turns());
  guest.offer(flood(20_000));
  let goesOn = false;
  const waits = guest.intake.roomFor({ bytes: 1_000, rowsPerByte: 0.2 }).then(() => (goesOn = true));
  await turn();
  expect(goesOn).toBe(false);
  await guest.intake.roomFor({ bytes: 1 << 20, rowsPerByte: 0.2 });
  expect(guest.lines.length).toBeLessThan(5_000);
  await waits;
  expect(guest.lines.length).toBeGreaterThan(17_000);
});

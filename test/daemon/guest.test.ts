import { expect, it } from 'vitest';
import { configSchema } from '../../src/core/config/schema.js';
import { guestSettings } from '../../src/core/config/guest-settings.js';
import type { Answer, Question } from '../../src/core/watch/analyst.js';
import { Guest } from '../../src/daemon/guest.js';
import type { Services } from '../../src/daemon/guest-handle.js';

const settings = guestSettings(configSchema.parse({}), 'vm1', { qmpDirectory: '/nonexistent' });
const question: Question = { type: 'read', dump: { name: 'sysrq-t', lines: [] }, raised: true };

function asking() {
  const said: string[] = [];
  let answer: (answer: Answer) => void = () => undefined;
  const analyst = {
    warm: () => undefined,
    answer: () => new Promise<Answer>((resolve) => (answer = resolve)),
    close: () => undefined,
  };
  const log = (_level: string, text: string) => said.push(text);
  const guest = new Guest('vm1', settings, { log, consoleLines: 100 } as unknown as Services, analyst);
  const asked = (guest as unknown as { ask(question: Question, at: number): Promise<void> }).ask(question, 1);
  return { guest, said, asked, reply: (given: Answer) => answer(given) };
}

const line = (text: string) => ({ type: 'line' as const, at: 2, text, replayed: true as const });

it('what happens while its dumps are read waits, and comes in its order', async () => {
  const { guest, asked, reply } = asking();
  for (const text of ['one', 'two', 'three']) guest.handle(line(text));
  expect(guest.state.console.tail).toEqual([]);
  reply({ type: 'read', reading: null });
  await asked;
  expect(guest.state.console.tail).toEqual(['one', 'two', 'three']);
  guest.handle(line('four'));
  expect(guest.state.console.tail).toHaveLength(4);
});

it('a flood meanwhile is bounded, and what is lost is said', async () => {
  const { guest, said, asked, reply } = asking();
  for (let n = 0; n < 20_007; n += 1) guest.handle(line('x'));
  reply({ type: 'failed', why: 'it took more than 20 s' });
  await asked;
  expect(said).toContain('vm1: its dumps were not analysed: it took more than 20 s');
  expect(said).toContain('vm1: 7 lines came while its dumps were read, and were not judged');
});

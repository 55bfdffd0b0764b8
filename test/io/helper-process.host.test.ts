import { expect, it, onTestFinished } from 'vitest';
import { HelperFailed, HelperProcess } from '../../src/io/helper-process.js';
import { compiled } from '../support/compiled.js';

const built = compiled('helper-child.js');

function helper(): HelperProcess {
  const made = new HelperProcess(built.fixture, { heapMb: 32 });
  onTestFinished(() => made.close());
  return made;
}

it('answers one question after the other, whatever they hold', async () => {
  const asked = helper();
  for (const question of ['a', { lines: ['x', '\u0000'] }, null, [1.5, Infinity]])
    expect(await asked.ask(question, 20_000)).toEqual(question);
});

it.each([
  ['throw', 20_000, 'cannot do that'],
  ['exit', 20_000, 'its process exited with 7'],
  ['spin', 1_000, 'it took more than 1 s'],
  ['fill', 20_000, 'it needed more than 32 MB'],
])(
  'that %s costs the answer only',
  async (what, deadlineMs, why) => {
    const asked = helper();
    const answer = asked.ask(what, deadlineMs);
    await expect(answer).rejects.toThrow(HelperFailed);
    await expect(answer).rejects.toThrow(why);
    await expect(answer).rejects.toHaveProperty('late', what === 'spin');
    // And is there for the next one.
    expect(await asked.ask('again', 20_000)).toBe('again');
  },
  60_000,
);

it('ends at once when the asker stops', async () => {
  const stop = new AbortController();
  const answer = helper().ask('spin', 60_000, stop.signal);
  setTimeout(() => stop.abort(), 200);
  await expect(answer).rejects.not.toThrow(HelperFailed);
});

/** Tasks that sleep in S where none rests: they accuse nobody, and who asks is told of them. */
import { expect, it } from 'vitest';
import { answers, booted, golden, healthyFor, VirtualGuest } from '../../support/virtual-guest.js';

const kinds = ['pipe-cycle', 'futex-deadlock'];

it.each(kinds)('%s: a guest that only SSH does not reach is dropped as before', (name) => {
  const press = answers(golden(name));
  const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press })).run(600_000);
  expect(guest.findings).toEqual([]);
  expect(guest.effects.filter(({ type }) => type === 'drop')).not.toHaveLength(0);
  expect(guest.state.restraint.judged?.class).toBe('network-only');
});

it.each(kinds)('%s: a capture by hand tells them', (name) => {
  const guest = booted(new VirtualGuest({ press: answers(golden(name)) })).run(30_000);
  guest.later(0, { type: 'capture-asked', note: null, keys: null });
  guest.run(20_000);
  expect(guest.findings[0]?.analysis.verdict).toMatchObject({ class: 'waiting', confidence: 'low' });
  expect(guest.state.name).toBe('up');
});

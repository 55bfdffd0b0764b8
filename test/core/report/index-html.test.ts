import { describe, expect, it } from 'vitest';
import { renderIndex } from '../../../src/core/report/index-html.js';
import { incidentRow, inOrder } from '../../../src/core/report/row.js';
import { SCRIPT } from '../../../src/core/report/html-script.js';
import { incident } from '../../fixtures/archive-sample.js';
import { scriptsOf } from '../../support/scripts.js';

type Changes = Parameters<typeof incident>[0];

const rowOf = (minute: number, changes: Changes = {}) => {
  const id = `20260918T10${String(minute).padStart(2, '0')}02Z.store.00c0ff${String(minute).padStart(2, '0')}`;
  return incidentRow(id, { ok: true, incident: incident({ id, ...changes }) }, null);
};
const page = (rows: ReturnType<typeof rowOf>[]) =>
  renderIndex(
    inOrder(rows, (id) => `/archive/incidents/${id}`),
    '2026-09-18T12:00:00.000Z',
  );

describe('index.html', () => {
  it('lists the newest first, each with a link to its report', () => {
    const html = page([rowOf(15), rowOf(25, { vm: 'build', fingerprint: 'ff' })]);
    const links = [...html.matchAll(/href="incidents\/([^"]+)\/report.html"/g)].map(([, id]) => id);
    expect(links).toEqual(['20260918T102502Z.store.00c0ff25', '20260918T101502Z.store.00c0ff15']);
    expect(html).toContain('<h1>2 incidents</h1>');
    expect(html).not.toContain('Hangs that came again');
    expect(scriptsOf(html)).toEqual([SCRIPT]);
    expect(html).not.toMatch(/https?:\/\/|@import|url\((?!#hatch\))/);
  });

  it('puts what came again at the top, with its count', () => {
    const html = page([rowOf(15), rowOf(20), rowOf(25, { fingerprint: 'ff' }), rowOf(30, { vm: 'other' })]);
    const [, hangs = ''] = html.split('Hangs that came again');
    expect(hangs).toMatch(/data-name="Times">3<\/td><td class="number" data-name="Guests">2</);
  });

  it('filters by guest and class through style alone, and says where nothing is both', () => {
    const verdict = { ...incident().verdict, class: 'panicked' as const };
    const html = page([rowOf(15), rowOf(20, { vm: '</style><script>', verdict })]);
    expect(html).toContain('.filtered:has(.pick-vm-n0:checked) .vm-any:not(.vm-n0) { display: none; }');
    expect(html).toContain('.filtered:has(.pick-vm-n0:checked):has(.pick-kind-n1:checked) .none');
    expect(scriptsOf(html)).toEqual([SCRIPT]);
  });

  it('says that there is none, shows a damaged one, and is bounded', () => {
    expect(page([])).toContain('No incidents');
    const damaged = incidentRow('20260918T101502Z.store.00c0ffee', { ok: false, problem: 'no JSON' }, null);
    expect(page([damaged])).toContain('damaged: no JSON');
    const many = Array.from({ length: 3_000 }, (_, n) => ({ ...rowOf(15), id: `x${n}`, vm: `guest-${n}` }));
    const html = page(many);
    expect(html).toContain('2000 older incidents');
    expect(html.length).toBeLessThan(2 << 20);
  });
});

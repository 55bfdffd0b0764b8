import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { incidentId, incompleteBecause, parseIncidentName } from '../../../src/core/report/incident.js';
import { incidentJson, safeJson } from '../../../src/core/report/json.js';
import { readIncident } from '../../../src/core/report/read-incident.js';
import { incident, SHORT_ID, STARTED_AT_MS } from '../../fixtures/archive-sample.js';

describe('incidentId', () => {
  it('is the time in UTC, the VM and the id', () => {
    expect(incidentId(STARTED_AT_MS, 'store', SHORT_ID)).toBe('20260918T101502Z.store.00c0ffee');
  });

  it.each([
    ['../../etc/passwd', '_._.._etc_passwd'],
    ['.hidden', '_hidden'],
    ['', '_'],
    ['a b\n\u001b[31m', 'a_b___31m'],
    ['host.example.org', 'host.example.org'],
    ['x'.repeat(200), 'x'.repeat(64)],
  ])('keeps only harmless characters of %j', (vm, safe) => {
    expect(incidentId(STARTED_AT_MS, vm, SHORT_ID)).toBe(`20260918T101502Z.${safe}.00c0ffee`);
  });

  it('is read back for any time and any VM', () => {
    const hex = fc.integer({ min: 0, max: 0xffffffff }).map((n) => n.toString(16).padStart(8, '0'));
    const seconds = fc.integer({ min: 0, max: 4_102_444_800 });
    fc.assert(
      fc.property(seconds, fc.string({ unit: 'binary', maxLength: 100 }), hex, (at, vm, shortId) => {
        const id = incidentId(at * 1000, vm, shortId);
        expect(id).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}$/);
        expect(parseIncidentName(id)).toMatchObject({ startedAtMs: at * 1000, shortId });
      }),
    );
  });

  it.each(['lost+found', '20260918T101502Z.store', '20260918T101502Z.store.00c0ffee.partial', '.git'])(
    'does not take %s for an incident',
    (name) => expect(parseIncidentName(name)).toBeNull(),
  );
});

function withoutComm() {
  const whole = incident();
  return { ...whole, dumps: whole.dumps.map((dump) => ({ ...dump, tasks: [{ pid: 1 }] })) };
}

describe('readIncident', () => {
  it('reads what incidentJson wrote, schemaVersion first', () => {
    const text = incidentJson(incident());
    expect(text).toMatch(/^\{\n {2}"schemaVersion": 1,\n/);
    expect(readIncident(text)).toEqual({ ok: true, incident: incident() });
  });

  it('lets unknown members pass', () => {
    const text = JSON.stringify({ ...incident(), tomorrow: { x: 1 } });
    expect(readIncident(text)).toEqual({ ok: true, incident: incident() });
  });

  it.each([
    ['', 'incident.json is empty'],
    ['{"schemaVer', 'incident.json is not JSON'],
    ['[]', 'incident.json: Invalid input: expected object, received array'],
    ['{"schemaVersion":2}', 'incident.json has schemaVersion 2, this wedgewatch reads 1'],
    [JSON.stringify({ ...incident(), verdict: { title: 7 } }), 'incident.json: verdict.title: '],
    [JSON.stringify(withoutComm()), 'incident.json: dumps[0].tasks[0].comm: '],
  ])('says what is wrong with %j', (text, problem) => {
    const read = readIncident(text);
    expect(read.ok ? '' : read.problem).toContain(problem);
  });

  it('reads one of an older version, which had fewer members', () => {
    const { capture, armed, kernel, test, note, ...old } = incident();
    expect(readIncident(JSON.stringify(old))).toEqual({
      ok: true,
      incident: { ...old, capture: [], armed, kernel: null, test, note },
    });
    expect(capture).not.toEqual([]);
    expect(kernel).not.toBeNull();
  });

  it('reads one of a later version, which knows another kind of wait', () => {
    const [group] = incident().groups;
    const annotation = { wait: null, operation: 'f', subject: null, entry: null };
    const later = { ...incident(), groups: [{ ...group, annotation: { ...annotation, wait: 'telepathy' } }] };
    expect(readIncident(JSON.stringify(later))).toMatchObject({
      ok: true,
      incident: { groups: [{ annotation }] },
    });
  });

  it('never throws, whatever stands there', () => {
    fc.assert(fc.property(fc.json(), (text) => !readIncident(text).ok));
  });
});

it('JSON never holds what a terminal obeys, and means the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = safeJson({ text });
      // eslint-disable-next-line no-control-regex -- their absence is the point
      expect(json).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
      expect(JSON.parse(json)).toEqual({ text });
    }),
  );
  expect(safeJson('\u009b31m\u202e')).toBe('"\\u009b31m\\u202e"');
});

it('a reason why evidence is not whole is kept once', () => {
  const twice = incompleteBecause(incompleteBecause(incident(), ['torn']), ['torn', 'late']);
  expect(twice.evidence).toMatchObject({ complete: false, incompleteBecause: ['torn', 'late'] });
  expect(incompleteBecause(incident(), [])).toEqual(incident());
});

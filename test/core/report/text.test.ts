import { expect, it } from 'vitest';
import { renderReport } from '../../../src/core/report/html.js';
import { evidenceText, momentsOf, taskCounts } from '../../../src/core/report/summary.js';
import { renderVerdict } from '../../../src/core/report/text.js';
import { incident } from '../../fixtures/archive-sample.js';

it('names no unit for a guest that the journal has shown none of', () => {
  const plain = incident({ invocation: null });
  expect(renderVerdict(plain, [])).toContain('\nGuest:         store\n');
  const html = renderReport({ incident: plain, moments: [], marks: [], dumps: [], console: '', files: [] });
  expect(html).not.toContain('qemu-system@store.service');
});

it('says the verdict first, then everything it rests on', () => {
  const text = renderVerdict(incident(), ['report.html', 'sysrq-t.txt', 'console.raw']);
  const lines = text.split('\n');
  expect(lines[0]).toBe(incident().verdict.title);
  expect(text).toMatchInlineSnapshot(`
    "chroot:441 stuck ≥14 s in execve → reading its binary’s pages (filemap_read) → filesystem virtiofs:nix-store (inferred; virtiofsd stopped)

    Class:         blocked, confidence high
    Culprit:       chroot:441 in D, filemap_read
    Guest:         store, qemu-system@store.service
    Kernel:        6.18.0-rc3
    Wedged since:  2026-09-18T10:14:48.000Z
    Last progress: 2026-09-18T10:14:47.000Z Reached target Local File Systems.
    Waits for:     Switch Root (14s / no limit)
    Captured:      2026-09-18T10:15:02.000Z, filed 2026-09-18T10:15:09.500Z
    Fingerprint:   8d4f3a1be07c5521 (version 1)
    Incident:      20260918T101502Z.store.00c0ffee

    Why it was suspected
      - SSH has not answered twice in a row, 6 s
      - no progress on the console for 8 s

    Why this verdict
      - Both dumps of blocked tasks show it with the same stack, 3 s apart.

    Inferred from outside the guest
      - virtiofsd (pid 812), which serves nix-store, is stopped (T).

    Evidence: complete
      sysrq-w.1  complete, 20 lines, ended by fence
      sysrq-w.2  complete, 20 lines, ended by fence
      sysrq-t    complete, 1200 lines, ended by fence

    How it was captured
      send-key         worked: Alt+SysRq on the emulated keyboard

    Who waits for whom
      - chroot:441 → virtiofsd:812 (request_wait_answer, confidence medium)

    Stacks
      1 task in D: chroot:441
          __schedule
          io_schedule
          filemap_update_page
          filemap_read
          kernel_read
          bprm_execve

    Files
      report.html        all of this in one page
      sysrq-t.txt        the dump as it landed
      console.raw        its raw bytes
    "
  `);
});

it('says what is incomplete and why', () => {
  const base = incident();
  const evidence = {
    complete: false,
    incompleteBecause: ['no fence in t'],
    dumps: [{ ...base.evidence.dumps[2]!, complete: false, endedBy: 'silence' }],
  };
  const text = renderVerdict(incident({ evidence }), []);
  expect(text).toContain(
    'Evidence: INCOMPLETE\n  - no fence in t\n  sysrq-t    INCOMPLETE, 1200 lines, ended by silence',
  );
  expect(evidenceText(evidence)).toBe('incomplete: no fence in t');
});

it('says what memory lacks, where the keys brought everything', () => {
  const base = incident();
  const [first] = base.evidence.dumps;
  const read = { ...first!, name: 'memory', key: 'memory' as const, complete: false, endedBy: 'read' };
  const why = '1 task runs, and its stack is not sure';
  const dump = { ...base.dumps[0]!, key: 'memory' as const, complete: false, incompleteBecause: [why] };
  const evidence = { complete: true, incompleteBecause: [], dumps: [read] };
  const lacking = incident({ evidence, dumps: [dump] });
  expect(renderVerdict(lacking, [])).toContain(
    `  memory     INCOMPLETE, 20 lines, ended by read\n             ${why}\n`,
  );
  const page = { incident: lacking, moments: [], marks: [], dumps: [], console: '', files: [] };
  expect(renderReport(page)).toContain(`incomplete; ${why}`);
});

it('shows the note of whoever asked', () => {
  expect(renderVerdict(incident({ note: 'before the upgrade' }), [])).toContain(
    '\nNote:          before the upgrade\n',
  );
});

it('lets no control character of a guest through', () => {
  const hostile = '\u001b]0;owned\u0007\u009b2J\u202egnp\nsecond line';
  const text = renderVerdict(
    incident({
      vm: hostile,
      awaiting: hostile,
      why: [hostile],
      lastProgress: { at: hostile, text: hostile },
      verdict: { ...incident().verdict, title: hostile, reasons: [hostile] },
      groups: [{ count: 1, state: 'D', frames: [hostile], pids: [1], comms: [hostile], idle: false }],
    }),
    [hostile],
  );
  // eslint-disable-next-line no-control-regex -- their absence is the point
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(text).not.toContain('\nsecond line');
});

it('counts the stuck tasks, and a culprit that sleeps in S', () => {
  expect(taskCounts(incident())).toEqual({ stuck: 1, all: 3 });
  const verdict = { ...incident().verdict, culprit: { comm: 'sh', pid: 9, state: 'S', frame: 'x' } };
  expect(taskCounts(incident({ verdict }))).toEqual({ stuck: 2, all: 3 });
});

it('puts the moments in order', () => {
  const decision = [{ at: '2026-09-18T10:14:55.000Z', text: 'SSH timed out' }];
  expect(
    momentsOf(incident({ recoveredAt: '2026-09-18T10:20:00.000Z' }), decision).map(({ text }) => text),
  ).toEqual([
    'last progress on the console: Reached target Local File Systems.',
    'last sign of life',
    'SSH timed out',
    'capture begun',
    'filed',
    'recovered, after 5 min 12 s',
  ]);
});

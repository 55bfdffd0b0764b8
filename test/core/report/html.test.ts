import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderReport, type ReportInput } from '../../../src/core/report/html.js';
import { SCRIPT, SCRIPT_HASH } from '../../../src/core/report/html-script.js';
import { incident } from '../../fixtures/archive-sample.js';
import { scriptsOf } from '../../support/scripts.js';

const report = (changes: Partial<ReportInput> = {}) =>
  renderReport({
    incident: incident(),
    moments: [],
    marks: [],
    dumps: [],
    console: '',
    files: [],
    ...changes,
  });

describe('report.html', () => {
  it('names the hash of the script that it holds, so that a browser runs it', () => {
    expect(SCRIPT_HASH).toBe(createHash('sha256').update(SCRIPT).digest('base64'));
  });

  it('has the verdict as its first heading, a language and a policy that allows one script', () => {
    const html = report();
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html.indexOf('<h1>chroot:441 stuck')).toBeLessThan(html.indexOf('<h2>'));
    expect(html).toMatch(/http-equiv="Content-Security-Policy" content="default-src (?:'|&#39;)none/);
    expect(html).toContain(`script-src 'sha256-${SCRIPT_HASH}'`);
    expect(scriptsOf(html)).toEqual([SCRIPT]);
    expect(html).not.toMatch(/https?:\/\/|@import|url\((?!#hatch\))/);
  });

  it('shows the dumps folded, links those that are too large, and folds idle threads', () => {
    const html = report({
      dumps: [
        { file: 'sysrq-w.1.txt', bytes: 40, text: 'task:chroot state:D' },
        { file: 'sysrq-t.txt', bytes: 3 << 20, text: null },
      ],
    });
    expect(html).toMatch(/<details><summary><span class="mono">sysrq-w.1.txt<\/span>, 1 KiB/);
    expect(html).toContain('<a href="sysrq-t.txt">sysrq-t.txt</a>, 3072 KiB, is too large');
    expect(html).toContain('show 2 idle kernel threads');
    expect(html).toMatch(/<details id="group-2" class="[^"]* idle">/);
  });

  it('says that the evidence is incomplete, and of which dump', () => {
    const { evidence } = incident();
    const dumps = [{ ...evidence.dumps[0]!, complete: false, endedBy: 'silence' }];
    const html = report({
      incident: incident({ evidence: { complete: false, incompleteBecause: ['no fence in w.1'], dumps } }),
    });
    expect(html).toContain('The evidence is incomplete');
    expect(html).toContain('<li>no fence in w.1</li>');
    expect(html).toContain('<td class="bad">incomplete</td>');
    expect(report()).not.toContain('The evidence is incomplete');
  });

  it('shows only the end of a long console, and of a long line its start', () => {
    const lines = Array.from({ length: 10_000 }, (_, n) => `line ${n} ${'x'.repeat(n === 9_999 ? 1e6 : 0)}`);
    const html = report({ console: lines.join('\n') });
    expect(html).not.toContain('line 9799 ');
    expect(html).toContain('line 9800 ');
    expect(html.length).toBeLessThan(40_000);
  });

  it('escapes what a guest names its tasks', () => {
    const evil = '</pre><script>alert(1)</script>\u001b[2J\u202e';
    const groups = [{ count: 1, state: 'D', frames: [evil], pids: [1], comms: [evil], idle: false }];
    const html = report({
      incident: incident({ groups, vm: evil, awaiting: evil, why: [evil] }),
      console: evil,
      dumps: [{ file: 'sysrq-t.txt', bytes: 10, text: evil }],
      moments: [{ at: evil, text: evil }],
      marks: [{ at: '2026-09-18T10:15:00.000Z', lane: 'ssh', text: evil, good: false }],
    });
    expect(scriptsOf(html)).toEqual([SCRIPT]);
    for (const bad of ['\u001b', '\u202e']) expect(html).not.toContain(bad);
    expect(html).toContain('&lt;script>alert(1)&lt;/script>');
  });

  it('begins a mail to nobody, with no header and no text that a guest chose as more than text', () => {
    const title = '</textarea><script>\r\nBcc: a@example.org&cc=b?body=\ud800x';
    const html = report({ incident: incident({ vm: title, verdict: { ...incident().verdict, title } }) });
    const [, href = ''] = /href="(mailto:[^"]*)"/.exec(html) ?? [];
    const fields = new URLSearchParams(href.replaceAll('&amp;', '&').replace('mailto:?', ''));
    expect([...fields.keys()]).toEqual(['subject', 'body']);
    expect(fields.get('subject')).toMatch(/^[^\r\n]*Bcc: a@example\.org&cc=b\?body=[^\r\n]*$/);
    expect(fields.get('body')!.split('\r\n')[0]).toContain('Bcc: a@example.org');
    expect(href.length).toBeLessThan(3_000);
    expect(html.match(/<\/textarea>/g)).toHaveLength(1);
    expect(scriptsOf(html)).toEqual([SCRIPT]);
  });

  it('stays small with ten thousand kinds of stack', () => {
    const groups = Array.from({ length: 10_000 }, (_, n) => ({
      count: 1,
      state: 'D',
      frames: Array.from({ length: 100 }, () => `function_${n}`),
      pids: [n],
      comms: [`task${n}`],
      idle: false,
    }));
    const html = report({ incident: incident({ groups }) });
    expect(html).toContain('9800 further groups are in stacks.txt');
    expect(html.length).toBeLessThan(1 << 20);
  });
});

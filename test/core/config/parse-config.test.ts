import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/core/config/parse-config.js';
import { formatProblem } from '../../../src/core/config/problem.js';
import { configSchema, type Config } from '../../../src/core/config/schema.js';

const defaults = configSchema.parse({});

function config(text: string): Config {
  const result = parseConfig(text, 'config.yaml');
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

function problems(text: string): string[] {
  const result = parseConfig(text, 'config.yaml');
  return result.ok ? [] : result.problems.map(formatProblem);
}

describe('a good file', () => {
  it.each(['', '\n', '# nothing yet\n', '---\n', '{}', '\uFEFF', 'ssh:\nguests:\n'])(
    '%j is all defaults',
    (text) => {
      expect(config(text)).toEqual(defaults);
    },
  );

  it('turns durations into milliseconds', () => {
    expect(config('detect: {silence: 1min 5s}').detect.silence).toBe(65_000);
    expect(defaults.ssh).toMatchObject({
      enabled: true,
      host: '%v',
      interval: 3000,
      timeout: 3000,
      failures: 2,
    });
  });

  it('leaves in an override what it does not say', () => {
    expect(config('overrides: [{match: a, ssh: {interval: 9s}}]').overrides).toEqual([
      { match: 'a', ssh: { interval: 9000 } },
    ]);
  });

  it('knows anchors', () => {
    expect(
      config('overrides: [{match: a, ssh: &s {failures: 3}}, {match: b, ssh: *s}]').overrides[1]?.ssh,
    ).toEqual({ failures: 3 });
  });
});

describe('a broken value', () => {
  it.each([
    ['ssh:\n  intervall: 3s', '2:3: ssh.intervall: unknown key; did you mean ssh.interval?'],
    [
      'detect:\n  boot_silence: 3s',
      '2:3: detect.boot_silence: unknown key; did you mean detect.bootSilence?',
    ],
    ['silence: 3s', '1:1: silence: unknown key; did you mean detect.silence?'],
    ['detct: {}', '1:1: detct: unknown key; did you mean detect?'],
    ['qmp: {colour: 1}', '1:7: qmp.colour: unknown key; the keys here are timeout'],
    [
      'overrides: [{match: a, ssh: {hst: b}}]',
      'overrides[0].ssh.hst: unknown key; did you mean overrides[0].ssh.host?',
    ],
    ['overrides: [{match: a, symbols: {vmlnux: /v}}]', 'did you mean overrides[0].symbols.vmlinux?'],
    ['overrides: [{match: a, silence: 3s}]', 'did you mean overrides[0].detect.silence?'],
    ['onIncident: [notify-send]', 'onIncident[0]: expected a mapping of keys to values; found "notify-send"'],
    ['onIncident: notify-send', 'onIncident: expected a list such as [{command: [notify-send, wedged]}]'],
    [
      'onIncident: [{command: notify-send wedged}]',
      '1:24: onIncident[0].command: expected a program and its arguments as a list, such as [notify-send, wedged]',
    ],
    ['onIncident: [{command: []}]', 'expected a program and its arguments as a list'],
    ["onIncident: [{command: ['']}]", 'expected a program and its arguments as a list'],
    ['onIncident: [{command: [sleep, 5]}]', 'onIncident[0].command[1]: expected text; put quotes around it'],
    ['onIncident: [{command: [a], timeout: 1ms}]', 'onIncident[0].timeout: expected at least 1s'],
    ['onIncident: [{command: [a], timout: 5s}]', 'did you mean onIncident[0].timeout?'],
    ['status: {directory: here}', 'status.directory: expected an absolute path, or one that begins with ~/'],
    ['<<: {}', '1:1: <<: unknown key; the keys here are ssh, detect, '],
    ['toString: 1', 'toString: unknown key; the keys'],
    ['__proto__: 1', '__proto__: unknown key; the keys'],
    [
      'ssh: {timeout: 3}',
      '1:16: ssh.timeout: expected a duration such as 500ms, 3s, 2min or 1h 30min; write 3s for seconds; found 3',
    ],
    ['ssh: {timeout: "2m"}', 'write 2min for minutes; found "2m"'],
    [
      'ssh:\n  timeout:\n',
      'ssh.timeout: expected a duration such as 500ms, 3s, 2min or 1h 30min; found nothing',
    ],
    ['ssh: {interval: 10ms}', 'ssh.interval: expected at least 500ms: each probe is a connection'],
    ['detect: {cooldown: 2h}', 'detect.cooldown: expected at most 30min; found "2h"'],
    [
      'detect: {testPattern: "(?=x)"}',
      'detect.testPattern: expected a regular expression in the syntax of RE2',
    ],
    ['ssh: {failures: 0}', 'ssh.failures: expected a whole number from 1 to 20; found 0'],
    ['ssh: {failures: 1.5}', 'ssh.failures: expected a whole number from 1 to 20; found 1.5'],
    ['ssh: {enabled: no}', '1:16: ssh.enabled: expected true or false; found "no"'],
    ['ssh: {host: -oProxyCommand=x}', 'ssh.host: expected a host as in ~/.ssh/config'],
    ['ssh: 3', '1:6: ssh: expected a mapping of keys to values; found 3'],
    ['guests: {a: b}', '1:9: guests: expected a list; found a mapping'],
    ['- a', '1:1: expected a mapping of keys to values; found a list'],
    ['guests: [{unit: a.service}]', '1:10: guests[0].name: expected the name of a VM; found nothing'],
    ['guests: [{name: a/b}]', 'guests[0].name: expected a name without /'],
    ['guests: [{name: ..}]', 'guests[0].name: expected a name without /'],
    ['guests: [{name: "a\\e[1m"}]', 'guests[0].name: expected a name without blanks and control characters'],
    ['guests: [{name: "a b"}]', 'guests[0].name: expected a name without blanks'],
    ['guests: [{name: -a}]', 'guests[0].name: expected a name without a leading dash'],
    ['guests: [{name: ""}]', 'guests[0].name: expected a name;'],
    [`guests: [{name: ${'a'.repeat(201)}}]`, 'guests[0].name: expected at most 200 characters'],
    [
      'guests: [{name: a, ssh: true}]',
      'guests[0].ssh: expected a host as in ~/.ssh/config, or false; found true',
    ],
    ['guests: [{name: a, console: /dev/x}]', 'guests[0].console: expected journal, or file: with'],
    ['guests: [{name: a, qmp: qmp.sock}]', 'guests[0].qmp: expected an absolute path'],
    [
      `guests: [{name: a, qmp: /${'q'.repeat(107)}}]`,
      "guests[0].qmp: the path has 108 bytes, a unix socket's at most 107",
    ],
    ['guests:\n- name: a\n- name: a', '3:9: guests[1].name: already given to guests[0]; found "a"'],
    [
      'guests: [{name: a, unit: u.service}, {name: b, unit: u.service}]',
      'guests[1].unit: already given to guests[0]',
    ],
    ['overrides: [{match: "a["}]', 'overrides[0].match: expected a glob such as slow-*: Missing closing'],
    ['overrides: [{match: ""}]', 'overrides[0].match: expected a glob'],
    ['archive: {directory: ~/x}', 'archive.directory: expected an absolute path; ~ and'],
    ['archive: {schedule: daily}', 'archive.schedule: expected a cron expression'],
    ['discover: {unit: a.service}', 'discover.unit: expected a service unit with one %v'],
    [
      'qmp: {}\njournal:\n  slice: machine.slice',
      '2:1: journal: this section is gone, with its only key slice: consoles are found by their unit, whatever its slice; delete these lines',
    ],
  ])('%s', (text, problem) => {
    expect(problems(text)).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    ['guests: [{nmae: b}]', '1:11: guests[0].nmae: unknown key; did you mean guests[0].name?'],
    ['overrides: [{mtach: a}]', 'overrides[0].mtach: unknown key; did you mean overrides[0].match?'],
  ])('%s misses a key, and is told why', (text, problem) => {
    expect(problems(text)).toEqual([
      expect.stringMatching(/found nothing$/),
      expect.stringContaining(problem),
    ]);
  });

  it('does not hide another, and they come in the order of the file', () => {
    const text = 'detect:\n  silence: 8\nssh:\n  hots: a\n  failures: x\n  enabled: 1\n';
    expect(problems(text).map((line) => line.split(': ').slice(0, 2).join(' '))).toEqual([
      'config.yaml:2:12 detect.silence',
      'config.yaml:4:3 ssh.hots',
      'config.yaml:5:13 ssh.failures',
      'config.yaml:6:12 ssh.enabled',
    ]);
  });

  it('is found through an anchor', () => {
    expect(problems('overrides: [{match: a, ssh: &s {failures: x}}, {match: b, ssh: *s}]')).toEqual([
      expect.stringMatching(/^config.yaml:1:43: overrides\[0\].ssh.failures: .*; found "x"$/),
      expect.stringMatching(/^config.yaml:1:43: overrides\[1\].ssh.failures: .*; found "x"$/),
    ]);
  });
});

describe('broken YAML', () => {
  it.each([
    ['ssh: {}\nqmp: {}\nssh: {}\n', 'config.yaml:3:1: ssh is given twice; keep one of the two'],
    ['ssh: {}\n---\nqmp: {}\n', 'config.yaml:2:1: a second document begins here'],
    ['ssh: [\n', 'config.yaml:2:1: Flow sequence'],
    ['\tssh: {}\n', 'config.yaml:1:1: Tabs are not allowed'],
    ['ssh: !secret\n', 'config.yaml:1:6: Unresolved tag: !secret'],
    ['ssh: *none\n', 'config.yaml: cannot be read as YAML: Unresolved alias'],
  ])('%j', (text, problem) => {
    expect(problems(text)[0]).toContain(problem);
  });

  it('does not fill the memory with aliases', () => {
    const rows = Array.from('bcdefghi', (name, index) => {
      const before = `*${'abcdefgh'[index] ?? ''}`;
      return `${name}: &${name} [${Array(10).fill(before).join(', ')}]`;
    });
    expect(problems(`a: &a [1]\n${rows.join('\n')}\n`)).toEqual([
      expect.stringContaining('Excessive alias count'),
    ]);
  });

  it.each(['[', '{a: ', '- ', '? '])('nested with %j does not meet the end of the stack', (opener) => {
    expect(problems(opener.repeat(60_000))).toEqual([expect.stringContaining('nested too deeply')]);
  });

  it('is not read at any length', () => {
    expect(problems('#'.repeat(300_000))).toEqual([expect.stringContaining('longer than 256 KiB')]);
  });
});

describe('any text', () => {
  const fragment = fc.constantFrom(
    ...[
      'ssh',
      'guests',
      'overrides',
      'name',
      'match',
      'interval',
      '3s',
      ': ',
      ':',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
    ],
    ...[
      '&a',
      '*a',
      '"',
      "'",
      '|',
      '>',
      '---',
      '!!',
      '#',
      '\t',
      '\u001b',
      '\u009b',
      '\u202e',
      '%v',
      '<<',
      'null',
      ',',
    ],
  );
  const yaml = fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join(''));

  it('gives values, or problems of one clean line each', () => {
    const gives = fc.property(fc.oneof(yaml, fc.string({ unit: 'binary' })), (text) => {
      const result = parseConfig(text, 'config.yaml');
      if (result.ok) return;
      expect(result.problems.length).toBeGreaterThan(0);
      for (const problem of result.problems) {
        // eslint-disable-next-line no-control-regex -- none of these may come out
        expect(formatProblem(problem)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
      }
    });
    fc.assert(gives, { numRuns: 500 });
  });

  it.each([
    ['unknown keys', Array.from({ length: 300 }, (_, at) => `key${at}: 1`).join('\n')],
    ['unknown keys of as many entries', `overrides:\n${' - zzz: 1\n'.repeat(300)}`],
    ['bad syntax', ']'.repeat(300)],
  ])('tells a hundred problems of %s, and is done', (_, text) => {
    const result = parseConfig(text, 'config.yaml');
    expect(result.ok ? 0 : result.problems.length).toBeLessThanOrEqual(200);
    expect(result.ok ? 0 : result.problems.length).toBeGreaterThanOrEqual(100);
  });
});

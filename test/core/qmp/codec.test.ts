import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCommand, MAX_MESSAGE_BYTES, QmpDecoder } from '../../../src/core/qmp/codec.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": ["oob"]}}';

function decode(text: string) {
  return new QmpDecoder().push(bytes(text));
}

describe('QmpDecoder', () => {
  it.each([
    [GREETING, { kind: 'greeting', version: '7.2.22' }],
    ['{"QMP": {}}', { kind: 'greeting', version: 'unknown' }],
    ['{"return": {}, "id": 3}', { kind: 'reply', id: 3, value: {} }],
    ['{"return": [1]}', { kind: 'reply', id: undefined, value: [1] }],
    [
      '{"id": 4, "error": {"class": "CommandNotFound", "desc": "no"}}',
      { kind: 'error', id: 4, errorClass: 'CommandNotFound', description: 'no' },
    ],
    ['{"error": {}}', { kind: 'error', id: undefined, errorClass: 'GenericError', description: '' }],
    ['{"event": "RESET", "data": {"guest": true}}', { kind: 'event', name: 'RESET', data: { guest: true } }],
  ])('tells what %s is', (line, message) => {
    expect(decode(`${line}\r\n`)).toEqual({ messages: [message], problem: null });
  });

  it.each([
    'login: ',
    '[]',
    '7',
    'null',
    '{}',
    '{"event": 1}',
    '{"error": "x"}',
    '{"return":',
    '['.repeat(50_000),
    `{"return": 1, "id": ${'["]", '.repeat(9_000)}1${']'.repeat(9_000)}}`,
  ])('refuses %.20s', (line) => {
    const { messages, problem } = decode(`${line}\n${GREETING}\n`);
    expect(messages).toEqual([]);
    expect(problem).toContain('no QMP message');
  });

  it('takes what is nested as deeply as QEMU nests, whatever its strings hold', () => {
    const value = `${'{"[\\"[": ['.repeat(500)}${']}'.repeat(500)}`;
    const { messages } = decode(`{"return": ${value}, "id": 1}\n{"return": "${'['.repeat(3_000)}"}\n`);
    expect(messages).toHaveLength(2);
  });

  it('quotes what it refuses without its control characters', () => {
    expect(decode('\u001b]0;pwned\u0007\n').problem).toMatch(/: {2}\]0;pwned $/);
  });

  it('skips empty lines and keeps the messages before a bad one', () => {
    const { messages, problem } = decode(`\r\n\n${GREETING}\nbad\n${GREETING}\n`);
    expect(messages).toHaveLength(1);
    expect(problem).not.toBeNull();
  });

  it('stays at its problem', () => {
    const decoder = new QmpDecoder();
    const { problem } = decoder.push(bytes('bad\n'));
    expect(decoder.push(bytes(`${GREETING}\n`))).toEqual({ messages: [], problem });
  });

  it('takes a message of the longest length, and none that is longer', () => {
    const frame = '{"return":""}'.length;
    const fits = `{"return":"${'x'.repeat(MAX_MESSAGE_BYTES - frame)}"}`;
    expect(decode(`${fits}\n`)).toMatchObject({ messages: [{ kind: 'reply' }], problem: null });
    expect(decode(`${fits} `).problem).toContain('longer than');
  });

  it('gives up without a newline before it holds more than one message', () => {
    const decoder = new QmpDecoder();
    const chunk = new Uint8Array(65_536).fill(0x20);
    const problems = Array.from({ length: 40 }, () => decoder.push(chunk).problem);
    expect(problems.findIndex((problem) => problem !== null)).toBe(MAX_MESSAGE_BYTES / chunk.length);
  });

  it('reads the same however the bytes are cut', () => {
    const json = fc.record({ return: fc.string({ unit: 'grapheme' }), id: fc.nat() });
    fc.assert(
      fc.property(
        fc.array(json, { maxLength: 8 }),
        fc.array(fc.nat(400), { maxLength: 20 }),
        (sent, cuts) => {
          const all = bytes(sent.map((one) => `${JSON.stringify(one)}\n`).join(''));
          const decoder = new QmpDecoder();
          const ends = [...cuts.filter((cut) => cut < all.length), all.length].sort((a, b) => a - b);
          const read = ends.flatMap((end, at) => {
            const { messages, problem } = decoder.push(all.slice(ends[at - 1] ?? 0, end));
            expect(problem).toBeNull();
            return messages;
          });
          expect(read).toEqual(sent.map((one) => ({ kind: 'reply', id: one.id, value: one.return })));
        },
      ),
    );
  });
});

describe('encodeCommand', () => {
  it('writes one line', () => {
    expect(encodeCommand('query-status', undefined, 2)).toBe('{"execute":"query-status","id":2}\n');
    expect(encodeCommand('a', { b: 'x\ny' }, 3)).toBe('{"execute":"a","arguments":{"b":"x\\ny"},"id":3}\n');
  });
});

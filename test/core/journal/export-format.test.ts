import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExportParser, type JournalEntry } from '../../../src/core/journal/export-format.js';
import { exportEntry, type Fields } from '../../fixtures/export-format.js';

const decoded = (said: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(said);
const bytes = (text: string) => new TextEncoder().encode(text);

function parseInPieces(stream: Uint8Array, cuts: readonly number[]): JournalEntry[] {
  const parser = new ExportParser();
  const edges = [0, ...[...cuts].sort((a, b) => a - b), stream.length];
  return edges.slice(1).flatMap((end, i) => parser.push(stream.slice(edges[i], end)));
}

const value = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom(bytes('MESSAGE=\n\n'), bytes('\0\n'), bytes('a=b\nMESSAGE\n'), new Uint8Array(0)),
  fc.string({ maxLength: 20 }).map(bytes),
);

const HEAD = ['__CURSOR', '__REALTIME_TIMESTAMP', '__MONOTONIC_TIMESTAMP', '_BOOT_ID', 'MESSAGE'];
const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,11}$/).filter((one) => !HEAD.includes(one));

/** An entry of any fields, known and unknown, in any order. */
const entry = fc
  .record({
    cursor: fc.string({ unit: fc.constantFrom('s', '=', ';', '0', 'f'), minLength: 1, maxLength: 20 }),
    us: fc.integer({ min: 1, max: 2_000_000_000_000_000 }),
    unit: fc.option(fc.stringMatching(/^[a-z@.]{1,12}$/), { nil: undefined }),
    seqnum: fc.option(fc.nat().map(String), { nil: undefined }),
    message: fc.option(value, { nil: undefined }),
    unknown: fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true }),
    places: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
    inOrder: fc.boolean(),
    framed: fc.boolean(),
  })
  .map(({ cursor, us, unit, seqnum, message, unknown, places, inOrder, framed }) => {
    const rest: [string, string | Uint8Array][] = [
      ...Object.entries(unknown),
      ...(unit === undefined ? [] : [['_SYSTEMD_USER_UNIT', unit] as [string, string]]),
    ];
    const usual: Fields = [
      ['__CURSOR', cursor],
      ['__REALTIME_TIMESTAMP', String(us)],
      ['__MONOTONIC_TIMESTAMP', String(us % 1_000_000_007)],
      ...(seqnum === undefined ? [] : ([['__SEQNUM', seqnum]] as const)),
      ['_BOOT_ID', '00ff'],
      ...rest,
      ...(message === undefined ? [] : ([['MESSAGE', message]] as const)),
    ];
    const fields = inOrder
      ? usual
      : usual
          .map((one, i) => ({ one, at: places[i]! }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ one }) => one);
    const shared = rest.filter(([key]) => !key.startsWith('__'));
    const expected: JournalEntry = {
      cursor,
      realtimeMs: us / 1000,
      monotonicMs: (us % 1_000_000_007) / 1000,
      bootId: '00ff',
      fields: new Map(shared.map(([key, said]) => [key, typeof said === 'string' ? said : decoded(said)])),
      message: message ?? new Uint8Array(0),
    };
    return { bytes: exportEntry(fields, framed), expected };
  });

describe('ExportParser', () => {
  it('gives the same entries wherever the stream is cut, byte for byte', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 6 }),
        fc.array(fc.nat(2000), { maxLength: 8 }),
        (entries, cuts) => {
          const stream = Buffer.concat(entries.map((one) => one.bytes));
          const expected = entries.map((one) => one.expected);
          const within = cuts.filter((cut) => cut < stream.length);
          expect(parseInPieces(stream, within)).toEqual(expected);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('gives the same entries at every single cut, and a byte at a time', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 3 }), (entries) => {
        const stream = Buffer.concat(entries.map((one) => one.bytes));
        const expected = entries.map((one) => one.expected);
        for (let cut = 1; cut < stream.length; cut += 1)
          expect(parseInPieces(stream, [cut])).toEqual(expected);
        expect(parseInPieces(stream, [...stream.keys()])).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  const head = (i: number): Fields => [
    ['__CURSOR', `c${i}`],
    ['__REALTIME_TIMESTAMP', `${i}000`],
    ['__MONOTONIC_TIMESTAMP', `${i}000`],
  ];
  const fieldsOf = (...entries: Fields[]) =>
    new ExportParser()
      .push(Buffer.concat(entries.map((fields) => exportEntry(fields))))
      .map((one) => one.fields);

  it.each([
    [
      'numbers behind the times, as systemd 254 puts them',
      (i: number) => [
        ...head(i),
        ['__SEQNUM', `${i}`],
        ['__SEQNUM_ID', 'f0'],
        ['_BOOT_ID', 'b'],
        ['_PID', '7'],
      ],
    ],
    [
      'what names the entry behind its fields',
      (i: number) => [['_PID', '7'], ['_BOOT_ID', 'b'], ['__NEW', `${i}`], ...head(i)],
    ],
    [
      'and as bytes',
      (i: number) => [['_PID', '7'], ['__NEW', bytes(`\n${i}`)], ['_BOOT_ID', 'b'], ...head(i)],
    ],
  ] as [string, (i: number) => Fields][])('shares the fields of entries that alternate: %s', (_, of) => {
    const other: Fields = [...head(9), ['_BOOT_ID', 'b'], ['_PID', '8']];
    const [first, second, third] = fieldsOf(of(1), other, of(2));
    expect(first).toEqual(new Map([['_PID', '7']]));
    expect(third).toBe(first);
    expect(second).toEqual(new Map([['_PID', '8']]));
  });

  it('keeps a 48 KiB row whole, and rows stay as they were when more arrives', () => {
    const row = new Uint8Array(48 << 10).fill(0xe4);
    const stream = exportEntry([...head(1), ['_BOOT_ID', 'b'], ['MESSAGE', row]]);
    const parser = new ExportParser();
    const first = parser.push(Buffer.concat([stream, stream]));
    parser.push(new Uint8Array(stream.length).fill(65));
    expect(first.map((one) => Buffer.compare(one.message, row))).toEqual([0, 0]);
  });

  it.each(['__CURSOR', '__REALTIME_TIMESTAMP', '__MONOTONIC_TIMESTAMP', '_BOOT_ID'])(
    'an entry without %s is not dropped in silence',
    (name) => {
      const fields: Fields = [...head(1), ['_BOOT_ID', 'b'], ['MESSAGE', 'x']];
      const rest = fields.filter(([one]) => one !== name);
      expect(() => new ExportParser().push(exportEntry(rest))).toThrow(`an entry without ${name}`);
    },
  );

  it('refuses a field that is longer than any that journald stores, before it is in memory', () => {
    const head = exportEntry([['MESSAGE', new Uint8Array(1)]]).subarray(0, 8);
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, 1n << 40n, true);
    expect(() => new ExportParser().push(Buffer.concat([head, length]))).toThrow(
      `MESSAGE field of ${1n << 40n} bytes`,
    );
  });

  const placed = (cursor: string, ...more: Fields) =>
    exportEntry([
      ['__CURSOR', cursor],
      ['__REALTIME_TIMESTAMP', '1000'],
      ['__MONOTONIC_TIMESTAMP', '2000'],
      ['_BOOT_ID', 'b0'],
      ...more,
    ]);
  const MIB = 1 << 20;
  const LONG = 40 * MIB;

  it.each([
    ['a message in text', [['MESSAGE', new Uint8Array(LONG).fill(65)]]],
    ['a message in bytes', [['MESSAGE', new Uint8Array(LONG).fill(7)]]],
    ['another field', [['USER_UNIT', new Uint8Array(LONG).fill(7)]]],
    ['many fields', Array.from({ length: 40 }, () => ['USER_UNIT', new Uint8Array(MIB).fill(65)])],
  ] as [string, Fields][])('goes on behind %s of 40 MiB, in bounded memory', (_what, long) => {
    const parser = new ExportParser();
    const stream = Buffer.concat([
      placed('s=1', ['MESSAGE', 'before'], ['_PID', '7']),
      placed('s=2', ['_TRANSPORT', 'stdout'], ...long, ['_PID', '7']),
      placed('s=3', ['MESSAGE', 'behind'], ['_PID', '7']),
    ]);
    const entries: JournalEntry[] = [];
    for (let at = 0; at < stream.length; at += 65_537)
      entries.push(...parser.push(stream.subarray(at, at + 65_537)));
    expect(entries.map(({ cursor, message }) => [cursor, decoded(message)])).toEqual([
      ['s=1', 'before'],
      ['s=2', ''],
      ['s=3', 'behind'],
    ]);
    expect(entries[1]).toMatchObject({ realtimeMs: 1, monotonicMs: 2, bootId: 'b0' });
    expect(entries[2]?.fields.get('_PID')).toBe('7');
    expect(parser.leftOut).toBeGreaterThan(0);
    expect(parser.leftOut).toBeLessThan(4);
    const held = (parser as unknown as { buffer: Uint8Array }).buffer.length;
    expect(held).toBeLessThanOrEqual(32 * MIB);
  });

  it('keeps as many fields of an entry as journald takes, and what names the entry', () => {
    const many = Array.from({ length: 3_000 }, (_, n): [string, string | Uint8Array] => [
      `F${n}`,
      n % 2 === 0 ? 'text' : Uint8Array.of(10),
    ]);
    const head: Fields = [
      ['__CURSOR', 'c'],
      ['__REALTIME_TIMESTAMP', '1'],
      ['__MONOTONIC_TIMESTAMP', '1'],
      ['_BOOT_ID', '00ff'],
    ];
    const entry = exportEntry([...head, ...many, ['MESSAGE', 'said']]);
    const [first, second] = new ExportParser().push(Buffer.concat([entry, entry]));
    for (const one of [first, second]) {
      expect(one?.fields.size).toBe(1_020);
      expect(Buffer.from(one?.message ?? []).toString()).toBe('said');
    }
  });

  it('refuses what is not the export format', () => {
    expect(() =>
      new ExportParser().push(bytes('Nov 24 03:15 host kernel: hello\nand more text\n\n')),
    ).toThrow(/export format/);
  });
});

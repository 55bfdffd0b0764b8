/** Each record by its own examples: what is added to the table is tested by what is added to it. */
import { describe, expect, it } from 'vitest';
import { backendOf, requestedBy } from '../../../src/core/analysis/backends.js';
import { bootPlace } from '../../../src/core/analysis/boot-places.js';
import { layerOf } from '../../../src/core/analysis/layers.js';
import { subjectOfSymbol } from '../../../src/core/analysis/subjects.js';
import { type Subsystem, SUBSYSTEMS } from '../../../src/core/subsystems.js';
import { waitOf } from '../../../src/core/analysis/wait-kinds.js';
import type { Frame } from '../../../src/core/model.js';

const stack = (...symbols: string[]): Frame[] =>
  symbols.map((symbol) => ({ symbol, offset: 1, size: 2, module: null, reliable: true }));

/** As it is told from its neighbours in a failure: two records may have one name. */
const records = SUBSYSTEMS.map((record) => [`${record.name}: ${record.prefixes[0]}`, record] as const);

const isWhole = (pattern: string) => (symbol: string) => new RegExp(`^(?:${pattern})$`).test(symbol);
const isPrefix = (prefix: string) => (symbol: string) => new RegExp(`^_*(?:${prefix})`).test(symbol);

/** All whole names of functions in a record. */
function functionsOf({
  anchors = [],
  server,
  takesRequests = [],
  journal = {},
  clusterLocks = [],
}: Subsystem) {
  const { waits = [], fileLocks = [] } = server ?? {};
  const { commitWaits = [], transactionWaits = [], thread } = journal;
  return [
    ...[...anchors, ...waits, ...fileLocks, ...takesRequests, ...clusterLocks],
    ...[...commitWaits, ...transactionWaits, ...threadOf(thread)],
  ];
}

const threadOf = (thread: NonNullable<Subsystem['journal']>['thread']): readonly string[] =>
  thread === undefined ? [] : [...thread.waiters, ...(thread.works ?? []), ...(thread.notWhile ?? [])];

describe('a record', () => {
  it.each(records)('%s: has an example for each prefix and each function', (_name, record) => {
    const { prefixes, journal, examples } = record;
    const lacks = [
      ...[...prefixes, ...(journal?.prefixes ?? [])].filter((prefix) => !examples.some(isPrefix(prefix))),
      ...functionsOf(record).filter((pattern) => !examples.some(isWhole(pattern))),
    ];
    expect(lacks).toEqual([]);
  });

  it.each(records)('%s: has its examples to itself', (_name, record) => {
    const ofJournal = (symbol: string) =>
      record.journal?.prefixes?.some((prefix) => isPrefix(prefix)(symbol)) === true;
    const taken = record.examples.flatMap((symbol) => {
      const subject = subjectOfSymbol(symbol);
      const own = ofJournal(symbol) ? subject?.layer === 'journal' : subject === record;
      return own ? [] : [`${symbol}: ${subject?.name ?? 'nobody'}`];
    });
    expect(taken).toEqual([]);
  });

  it.each(records)('%s: is named by its anchors', (_name, { anchors = [], examples }) => {
    const named = examples.filter((symbol) => anchors.some((pattern) => isWhole(pattern)(symbol)));
    expect(named.filter((symbol) => layerOf(symbol) !== 'operation')).toEqual([]);
  });

  it.each(SUBSYSTEMS.flatMap(({ server, examples }) => (server ? [{ ...server, examples }] : [])))(
    'that waits for $where',
    ({ kind, waits, methods, fileLocks = [], examples }) => {
      const waiting = examples.filter((symbol) => waits.some((pattern) => isWhole(pattern)(symbol)));
      const kinds = waiting.map((symbol) => waitOf({ frames: stack('schedule', symbol) })?.kind);
      expect(new Set(kinds)).toEqual(new Set([kind]));
      const method = examples.find(
        (symbol) =>
          methods.some((start) => symbol.search(start) === 0) &&
          ![...waits, ...fileLocks].some((pattern) => isWhole(pattern)(symbol)),
      );
      expect(method).toBeDefined();
      const request = stack('schedule', waiting[0] ?? '', method ?? '', 'vfs_read');
      const backend = backendOf(request);
      expect(backend && requestedBy(request, backend)).toBe(method);
    },
  );

  it.each(SUBSYSTEMS.flatMap(({ name, mounted }) => (mounted ? [{ name, ...mounted }] : [])))(
    '$name: is found in the log',
    ({ name, example }) => {
      const filesystem = name.replace('filesystem ', '');
      expect(bootPlace(example)).toMatchObject({ filesystem });
    },
  );
});

it('no example stands twice', () => {
  const all = SUBSYSTEMS.flatMap(({ examples }) => examples);
  expect(all.filter((symbol, index) => all.indexOf(symbol) !== index)).toEqual([]);
});

it('each kind of server has one record', () => {
  const kinds = SUBSYSTEMS.flatMap(({ server }) => (server ? [server.kind] : []));
  expect(new Set(kinds).size).toBe(kinds.length);
});

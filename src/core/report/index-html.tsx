/** index.html of an archive: its incidents, and which hang they are. One file, without network. */
import { renderToString } from 'preact-render-to-string';
import { printable } from '../printable.js';
import { counted } from '../words.js';
import { Filter } from './html-filter.js';
import type { IncidentRow } from './row.js';
import { INDEX_STYLE, STYLE } from './style.js';
import { PageHead, PageScript } from './html-parts.js';

const ROWS_SHOWN = 1_000;
const HANGS_SHOWN = 20;
const VMS_MAX = 16;
const TEXT_MAX = 300;

/** The newest first; `rows` as `readIncidents` brings them. The page stands in the archive's root. */
export function renderIndex(rows: readonly IncidentRow[], madeAt: string): string {
  const shown = rows.slice(-ROWS_SHOWN).reverse();
  const page = (
    <html lang="en">
      <PageHead title={`wedgewatch: ${counted(rows.length, 'incident')}`} style={STYLE + INDEX_STYLE} />
      <body>
        <header>
          <p class="kicker">wedgewatch · {minute(madeAt)} UTC</p>
          <h1>{rows.length === 0 ? 'No incidents' : counted(rows.length, 'incident')}</h1>
          {rows.length > 0 && <p class="soft">{summaryOf(rows)}</p>}
        </header>
        <main>
          <Hangs rows={rows} />
          <Incidents rows={shown} more={rows.length - shown.length} />
        </main>
        <PageScript />
      </body>
    </html>
  );
  return `<!doctype html>\n${renderToString(page)}\n`;
}

const minute = (iso: string): string => printable(iso.slice(0, 16).replace('T', ' '), 16);
const second = (iso: string): string => printable(iso.slice(0, 19).replace('T', ' '), 19);

function summaryOf(rows: readonly IncidentRow[]): string {
  const guests = new Set(rows.map(({ vm }) => vm)).size;
  const incomplete = rows.filter(({ complete }) => !complete).length;
  const parts = [
    `${counted(guests, 'guest')}, since ${second(rows[0]?.startedAt ?? '')}`,
    incomplete === 0 ? null : `${incomplete} with incomplete evidence`,
  ];
  return parts.filter((part) => part !== null).join('; ');
}

interface Hang {
  newest: IncidentRow;
  count: number;
  guests: Set<string>;
}

/** Which hangs came more than once, the most frequent first. */
function Hangs({ rows }: { rows: readonly IncidentRow[] }) {
  const hangs = new Map<string, Hang>();
  for (const row of rows) {
    if (row.fingerprint === null) continue;
    const key = `${row.fingerprintVersion ?? ''}:${row.fingerprint}`;
    const hang = hangs.get(key) ?? { newest: row, count: 0, guests: new Set() };
    hang.guests.add(row.vm);
    hangs.set(key, { ...hang, newest: row, count: hang.count + 1 });
  }
  const often = [...hangs.values()].filter(({ count }) => count > 1).sort((a, b) => b.count - a.count);
  if (often.length === 0) return null;
  return (
    <section id="hangs">
      <h2>Hangs that came again</h2>
      <table class="stacking">
        <thead>
          <tr>
            {['Times', 'Guests', 'Since', 'Newest, and what it is'].map((name) => (
              <th scope="col">{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {often.slice(0, HANGS_SHOWN).map(({ newest, count, guests }) => (
            <tr>
              <td class="number" data-name="Times">
                {count}
              </td>
              <td class="number" data-name="Guests">
                {guests.size}
              </td>
              <td class="time" data-name="Since">
                {minute(newest.seenSince)}
              </td>
              <td>
                <Verdict row={newest} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Names of classes that are ours, whatever a guest is called. */
function numbered(values: readonly string[]): Map<string, string> {
  return new Map([...new Set(values)].map((value, index) => [value, `n${index}`]));
}

function Incidents({ rows, more }: { rows: readonly IncidentRow[]; more: number }) {
  if (rows.length === 0) return null;
  const vms = numbered(rows.map(({ vm }) => vm));
  const kinds = numbered(rows.map(classOf));
  const there = new Set(rows.map((row) => `${vms.get(row.vm) ?? ''} ${kinds.get(classOf(row)) ?? ''}`));
  const facets = [
    { name: 'vm', title: 'Guest', values: vms.size > VMS_MAX ? [] : tally(rows, vms, ({ vm }) => vm) },
    { name: 'kind', title: 'Class', values: tally(rows, kinds, classOf) },
  ];
  const absent = [...vms.values()].flatMap((vm) =>
    [...kinds.values()]
      .filter((kind) => !there.has(`${vm} ${kind}`))
      .map((kind) => [`vm-${vm}`, `kind-${kind}`]),
  );
  return (
    <section id="incidents">
      <h2>Incidents, newest first</h2>
      <div class="filtered">
        <Filter facets={facets} absent={vms.size > VMS_MAX ? [] : absent} />
        <table class="stacking">
          <thead>
            <tr>
              {['Time (UTC)', 'Guest', 'Verdict', 'Stuck', 'Evidence', 'Seen'].map((name) => (
                <th scope="col">{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row row={row} vm={vms.get(row.vm) ?? ''} kind={kinds.get(classOf(row)) ?? ''} />
            ))}
          </tbody>
        </table>
        <p class="none soft">This guest has none of this class.</p>
      </div>
      {more > 0 && <p class="soft">{counted(more, 'older incident')}: wedgewatch list shows all.</p>}
    </section>
  );
}

const classOf = (row: IncidentRow): string => row.class ?? 'damaged';

function tally(rows: readonly IncidentRow[], names: Map<string, string>, of: (row: IncidentRow) => string) {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(of(row), (counts.get(of(row)) ?? 0) + 1);
  return [...counts].map(([title, count]) => ({
    name: names.get(title) ?? '',
    title: printable(title, 64) || '(no name)',
    count,
  }));
}

function Row({ row, vm, kind }: { row: IncidentRow; vm: string; kind: string }) {
  const { tasks, complete, evidence, seen, recoveredAt } = row;
  return (
    <tr class={`vm-any kind-any vm-${vm} kind-${kind}`}>
      <td class="time">{second(row.startedAt)}</td>
      <td class="vm">{printable(row.vm, 64)}</td>
      <td>
        <Verdict row={row} />
        <span class="about">
          {classOf(row)}
          {row.kernel === null ? '' : ` · ${printable(row.kernel, 64)}`}
          {recoveredAt === null ? '' : ` · recovered ${second(recoveredAt)}`}
        </span>
      </td>
      <td class="number" data-name="Stuck">
        {tasks === null ? '?' : `${tasks.stuck} of ${tasks.all}`}
      </td>
      <td data-name="Evidence" class={complete ? 'good' : 'bad'}>
        {complete ? 'complete' : printable(evidence, 80)}
      </td>
      <td class="number" data-name="Seen">
        {seen === 1 ? 'once' : `${seen}×`}
      </td>
    </tr>
  );
}

/** Ids are names of directories that this archive gave. */
const Verdict = ({ row }: { row: IncidentRow }) => (
  <a href={`incidents/${encodeURIComponent(row.id)}/report.html`}>
    {printable(row.verdict, TEXT_MAX) || '(no verdict)'}
  </a>
);

/** report.html: one file that needs no network, and runs no script but its own, whatever the guest printed. */
import { renderToString } from 'preact-render-to-string';
import { printable } from '../printable.js';
import { counted } from '../words.js';
import { type DumpText, type Places, placesOf } from './dump-anchors.js';
import { Mail } from './html-mail.js';
import { PageHead, PageScript, Bullets, readable, ROWS_SHOWN, safe, Section, Table } from './html-parts.js';
import { Dumps, Stacks } from './html-stacks.js';
import { IciclePicture } from './icicle-picture.js';
import type { Incident, Moment } from './incident.js';
import type { Mark } from './marks.js';
import { STYLE } from './style.js';
import { memoryLacks, momentsOf, recoveredText, unitOf } from './summary.js';
import { shownDump } from './tasks.js';
import { waitLine } from './text.js';
import { TimelinePicture } from './timeline-picture.js';
import { WaitPicture } from './wait-picture.js';

export interface ReportInput {
  incident: Incident;
  /** Moments of the decision; those that the incident knows are added. */
  moments: readonly Moment[];
  /** What was seen of the guest and done to it; none where that is not known. */
  marks: readonly Mark[];
  dumps: readonly DumpText[];
  /** Cleaned lines; only the last ones are shown. */
  console: string;
  /** Files beside the report. */
  files: readonly string[];
}

const CONSOLE_LINES = 200;
const CONSOLE_LINE_MAX = 500;

/** The whole page. Bounded: lists and lines are cut, and dumps without text are linked. */
export function renderReport(input: ReportInput): string {
  const { incident } = input;
  const places = placesOf(input.dumps);
  const page = (
    <html lang="en">
      <PageHead title={safe(`${incident.vm}: ${incident.verdict.title}`)} style={STYLE} />
      <body>
        <Head incident={incident} />
        <Contents input={input} />
        <main>
          <Chain incident={incident} places={places} />
          <Reasons incident={incident} places={places} />
          <Timeline incident={incident} moments={momentsOf(incident, input.moments)} marks={input.marks} />
          <IciclePicture dumps={incident.dumps} />
          <Stacks groups={incident.groups} places={places} />
          <Evidence incident={incident} />
          <Capture rungs={incident.capture} />
          <Dumps dumps={input.dumps} />
          <Console text={input.console} />
          <Mail incident={incident} />
        </main>
        <Foot incident={incident} files={input.files} />
        <PageScript />
      </body>
    </html>
  );
  return `<!doctype html>\n${renderToString(page)}\n`;
}

function Head({ incident }: { incident: Incident }) {
  const { verdict, evidence } = incident;
  return (
    <header>
      <p class="kicker">
        {safe(incident.vm)} · <time dateTime={incident.startedAt}>{readable(incident.startedAt)} UTC</time>
      </p>
      <h1>{safe(verdict.title)}</h1>
      <Facts incident={incident} />
      {!evidence.complete && (
        <div class="warning" role="note">
          <p class="bad">The evidence is incomplete</p>
          <Bullets sentences={evidence.incompleteBecause} />
        </div>
      )}
    </header>
  );
}

/** Where to go on. The sections that there always are, and those that there are here. */
function Contents({ input: { incident, dumps, console } }: { input: ReportInput }) {
  const links: [id: string, name: string, shown: boolean][] = [
    ['why', 'Why', incident.verdict.reasons.length > 0],
    ['timeline', 'Timeline', true],
    [
      'glance',
      'At a glance',
      shownDump(incident.dumps) !== null && incident.groups.some(({ idle }) => !idle),
    ],
    ['stacks', 'Stacks', incident.groups.length > 0],
    ['evidence', 'Evidence', true],
    ['dumps', 'Dumps', dumps.length > 0],
    ['console', 'Console', console.trim() !== ''],
    ['mail', 'Mail', true],
  ];
  return (
    <nav aria-label="Sections">
      {links
        .filter(([, , shown]) => shown)
        .map(([id, name]) => (
          <a href={`#${id}`}>{name}</a>
        ))}
    </nav>
  );
}

function Facts({ incident }: { incident: Incident }) {
  const { verdict, lastProgress } = incident;
  const { culprit } = verdict;
  const rows: [string, string | null][] = [
    ['Class', `${verdict.class}, confidence ${verdict.confidence}`],
    ['Culprit', culprit && `${culprit.comm}:${culprit.pid ?? '?'} in ${culprit.state}, ${culprit.frame}`],
    ['Wedged since', incident.wedgedSince && readable(incident.wedgedSince)],
    ['Last progress', lastProgress && `${readable(lastProgress.at)} · ${lastProgress.text}`],
    ['Waits for', incident.awaiting],
    ['Test', incident.test && `${incident.test.text}, begun ${readable(incident.test.at)}`],
    ['Recovered', incident.recoveredAt && recoveredText(incident, readable(incident.recoveredAt))],
    ['Unit', unitOf(incident)],
    ['Kernel', incident.kernel],
    ['Note', incident.note],
    ['Armed', incident.armed],
  ];
  return <dl>{rows.map(([name, value]) => value !== null && [<dt>{name}</dt>, <dd>{safe(value)}</dd>])}</dl>;
}

function Reasons({ incident, places }: { incident: Incident; places: Places }) {
  const { verdict, why } = incident;
  const about = verdict.culprit?.pid ?? null;
  return (
    <>
      <Section id="suspected" title="Why it was suspected" shown={why.length > 0}>
        <Bullets sentences={why} places={places} />
      </Section>
      <Section id="why" title="Why this verdict" shown={verdict.reasons.length > 0}>
        <Bullets sentences={verdict.reasons} places={places} about={about} />
      </Section>
      <Section id="inferred" title="Inferred from outside the guest" shown={verdict.inferred.length > 0}>
        <Bullets sentences={verdict.inferred} places={places} />
      </Section>
    </>
  );
}

/** The picture, and below it the same in words. */
function Chain({ incident, places }: { incident: Incident; places: Places }) {
  const { waits } = incident;
  const picture = WaitPicture({ analysis: incident });
  return (
    <Section id="chain" title="Who waits for whom" shown={picture !== null || waits.length > 0}>
      {picture}
      {waits.length > 0 && (
        <details>
          <summary>The same in words: {counted(waits.length, 'wait')}</summary>
          <Bullets sentences={waits.map(waitLine)} places={places} />
        </details>
      )}
    </Section>
  );
}

function Evidence({ incident }: { incident: Incident }) {
  const { dumps } = incident.evidence;
  return (
    <Section id="evidence" title="Evidence" shown>
      {dumps.length === 0 ? (
        <p>The guest printed no dump.</p>
      ) : (
        <Table head={['Dump', 'Complete', 'Lines', 'Ended by']}>
          {dumps.slice(0, ROWS_SHOWN).map((dump) => (
            <tr>
              <td>
                <code>{safe(dump.name)}</code>
              </td>
              <td class={dump.complete ? 'good' : 'bad'}>
                {dump.complete
                  ? 'complete'
                  : safe(['incomplete', ...memoryLacks(incident, dump.key)].join('; '))}
              </td>
              <td class="number">{dump.lines}</td>
              <td>{safe(dump.endedBy)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  );
}

function Capture({ rungs }: { rungs: Incident['capture'] }) {
  return (
    <Section id="capture" title="How it was captured" shown={rungs.length > 0}>
      <Table head={['Rung', 'Outcome', 'Detail']}>
        {rungs.slice(0, ROWS_SHOWN).map(({ rung, outcome, detail }) => (
          <tr>
            <td>
              <code>{rung}</code>
            </td>
            <td class={outcome === 'worked' ? 'good' : 'soft'}>{outcome}</td>
            <td>{safe(detail)}</td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}

/** The picture, and below it the same in words. */
function Timeline(props: { incident: Incident; moments: readonly Moment[]; marks: readonly Mark[] }) {
  const { incident, moments, marks } = props;
  return (
    <Section id="timeline" title="Timeline" shown>
      <TimelinePicture incident={incident} marks={marks} />
      <details>
        <summary>How it was decided, in words: {counted(moments.length, 'moment')}</summary>
        <Table head={['Time (UTC)', 'What happened']}>
          {moments.slice(-ROWS_SHOWN).map(({ at, text }) => (
            <tr>
              <td class="time">{safe(readable(at))}</td>
              <td>{safe(text)}</td>
            </tr>
          ))}
        </Table>
      </details>
    </Section>
  );
}

function Console({ text }: { text: string }) {
  const lines = text.trimEnd().split('\n').slice(-CONSOLE_LINES);
  const shown = lines.map((line) => printable(line, CONSOLE_LINE_MAX)).join('\n');
  return (
    <Section id="console" title="The end of the console" shown={shown !== ''}>
      <pre tabIndex={0} class="tail">
        <span>{shown}</span>
      </pre>
    </Section>
  );
}

function Foot({ incident, files }: { incident: Incident; files: readonly string[] }) {
  return (
    <footer>
      {files.length > 0 && (
        <p>
          Beside this page:{' '}
          {files.map((file, index) => [index > 0 && ', ', <a href={encodeURIComponent(file)}>{file}</a>])}
        </p>
      )}
      <p>
        {safe(incident.id)} · fingerprint <code>{safe(incident.fingerprint)}</code> (version{' '}
        {incident.fingerprintVersion}) · wedgewatch {safe(incident.version)}
      </p>
    </footer>
  );
}

/** report.html: one file that needs no network and runs no script, whatever the guest printed. */
import type { ComponentChildren } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { printable } from '../printable.js';
import { counted } from '../words.js';
import type { Incident, Moment } from './incident.js';
import { Dumps, type DumpText, Stacks } from './html-stacks.js';
import { IciclePicture } from './icicle-picture.js';
import { STYLE } from './style.js';
import { recoveredText, momentsOf } from './summary.js';
import { waitLine } from './text.js';
import { WaitPicture } from './wait-picture.js';

export interface ReportInput {
  incident: Incident;
  /** Moments of the decision; those that the incident knows are added. */
  moments: readonly Moment[];
  dumps: readonly DumpText[];
  /** Cleaned lines; only the last ones are shown. */
  console: string;
  /** Files beside the report. */
  files: readonly string[];
}

const SENTENCE_MAX = 600;
const CONSOLE_LINES = 200;
const CONSOLE_LINE_MAX = 500;
const ROWS_SHOWN = 100;

/** Browsers refuse whatever this does not name, were a tag of the guest's ever to get through. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** The whole page. Bounded: lists and lines are cut, and dumps without text are linked. */
export function renderReport(input: ReportInput): string {
  const { incident } = input;
  const page = (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={POLICY} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>{safe(`${incident.vm}: ${incident.verdict.title}`)}</title>
        <style dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        <Head incident={incident} />
        <main>
          <Chain incident={incident} />
          <Reasons incident={incident} />
          <IciclePicture dumps={incident.dumps} />
          <Stacks groups={incident.groups} />
          <Evidence incident={incident} />
          <Capture rungs={incident.capture} />
          <Timeline moments={momentsOf(incident, input.moments)} />
          <Dumps dumps={input.dumps} />
          <Console text={input.console} />
        </main>
        <Foot incident={incident} files={input.files} />
      </body>
    </html>
  );
  return `<!doctype html>\n${renderToString(page)}\n`;
}

const safe = (text: string): string => printable(text, SENTENCE_MAX);

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
    ['Unit', incident.unit],
    ['Kernel', incident.kernel],
    ['Note', incident.note],
    ['Armed', incident.armed],
  ];
  return <dl>{rows.map(([name, value]) => value !== null && [<dt>{name}</dt>, <dd>{safe(value)}</dd>])}</dl>;
}

function Reasons({ incident }: { incident: Incident }) {
  const { verdict, why } = incident;
  return (
    <>
      <Section title="Why it was suspected" shown={why.length > 0}>
        <Bullets sentences={why} />
      </Section>
      <Section title="Why this verdict" shown={verdict.reasons.length > 0}>
        <Bullets sentences={verdict.reasons} />
      </Section>
      <Section title="Inferred from outside the guest" shown={verdict.inferred.length > 0}>
        <Bullets sentences={verdict.inferred} />
      </Section>
    </>
  );
}

/** The picture, and below it the same in words. */
function Chain({ incident }: { incident: Incident }) {
  const { waits } = incident;
  const picture = WaitPicture({ analysis: incident });
  return (
    <Section title="Who waits for whom" shown={picture !== null || waits.length > 0}>
      {picture}
      {waits.length > 0 && (
        <details>
          <summary>The same in words: {counted(waits.length, 'wait')}</summary>
          <Bullets sentences={waits.map(waitLine)} />
        </details>
      )}
    </Section>
  );
}

function Evidence({ incident }: { incident: Incident }) {
  const { dumps } = incident.evidence;
  return (
    <Section title="Evidence" shown>
      {dumps.length === 0 ? (
        <p>The guest printed no dump.</p>
      ) : (
        <Table head={['Dump', 'Complete', 'Lines', 'Ended by']}>
          {dumps.slice(0, ROWS_SHOWN).map((dump) => (
            <tr>
              <td>
                <code>{safe(dump.name)}</code>
              </td>
              <td class={dump.complete ? 'good' : 'bad'}>{dump.complete ? 'complete' : 'incomplete'}</td>
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
    <Section title="How it was captured" shown={rungs.length > 0}>
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

function Timeline({ moments }: { moments: readonly Moment[] }) {
  return (
    <Section title="How it was decided" shown={moments.length > 0}>
      <Table head={['Time (UTC)', 'What happened']}>
        {moments.slice(-ROWS_SHOWN).map(({ at, text }) => (
          <tr>
            <td class="time">{safe(readable(at))}</td>
            <td>{safe(text)}</td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}

function Console({ text }: { text: string }) {
  const lines = text.trimEnd().split('\n').slice(-CONSOLE_LINES);
  const shown = lines.map((line) => printable(line, CONSOLE_LINE_MAX)).join('\n');
  return (
    <Section title="The end of the console" shown={shown !== ''}>
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

function Section(props: { title: string; shown: boolean; children: ComponentChildren }) {
  if (!props.shown) return null;
  return (
    <section>
      <h2>{props.title}</h2>
      {props.children}
    </section>
  );
}

function Table({ head, children }: { head: readonly string[]; children: ComponentChildren }) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            {head.map((name) => (
              <th scope="col">{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function Bullets({ sentences }: { sentences: readonly string[] }) {
  const rest = sentences.length - ROWS_SHOWN;
  return (
    <ul>
      {sentences.slice(0, ROWS_SHOWN).map((sentence) => (
        <li>{safe(sentence)}</li>
      ))}
      {rest > 0 && <li class="soft">and {rest} more in incident.json</li>}
    </ul>
  );
}

/** `2026-09-18 10:15:02.250`; the page's first line says that it is UTC. */
const readable = (iso: string): string => iso.replace('T', ' ').replace(/(?:\.000)?Z$/, '');

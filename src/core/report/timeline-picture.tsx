/** The timeline of report.html: what was seen of the guest and done to it, until the incident was filed. */
import { printable } from '../printable.js';
import { hungTask } from './hung-task.js';
import type { Incident } from './incident.js';
import { type Lane, LANES, type Mark } from './marks.js';
import { type Axis, timeAxis } from './time-axis.js';
import { clock, GUTTER, LaneRow, LETTER, ROW, type Timed } from './timeline-lanes.js';

const WIDTH = 1180;
const TOP = 46;
const HUNG_WIDTH = 216;
const BREAK = 34;
const LEAST_SCALE = 0.75;
/** Of what led to the first sign, if that is much older. */
const BEFORE_MS = 6_000;
/** Of `last progress` with its time. */
const LABEL_WIDTH = 180;
const MARKS_MAX = 1_000;

/** Null where no time is known. `marks` may be none: then the incident's own moments stand alone. */
export function TimelinePicture({ incident, marks }: { incident: Incident; marks: readonly Mark[] }) {
  const turn = Date.parse(incident.startedAt);
  const filed = Date.parse(incident.filedAt);
  if (!Number.isFinite(turn) || !Number.isFinite(filed)) return null;
  const since = time(incident.wedgedSince) ?? turn;
  const timed = timedOf(marks);
  const first = Math.min(turn, Math.max(since - BEFORE_MS, Math.min(since, ...timed.map(({ at }) => at))));
  const hung = hungTask(incident);
  const right = WIDTH - (hung === null ? 16 : HUNG_WIDTH + BREAK);
  const range = { from: Math.min(first, since), turn, to: Math.max(filed, turn), zero: since };
  const axis = timeAxis(range, { left: GUTTER + 8, right });
  const bottom = TOP + ROW * Object.keys(LANES).length;
  return (
    <>
      <div class="picture" tabIndex={0} role="region" aria-label="Timeline, a picture that scrolls">
        <svg
          viewBox={`0 0 ${WIDTH} ${bottom + 26}`}
          width={WIDTH}
          height={bottom + 26}
          style={`min-width: ${WIDTH * LEAST_SCALE}px`}
          role="img"
          aria-labelledby="time-title time-text"
          class="timeline"
        >
          <title id="time-title">Timeline of the hang and its capture</title>
          <desc id="time-text">{description(incident, timed, hung?.says ?? null)}</desc>
          <Field from={axis.x(since)} to={axis.x(turn)} right={right} bottom={bottom} />
          <Ticks axis={axis} bottom={bottom} />
          {Object.entries(LANES).map(([lane, name], index) => (
            <LaneRow
              name={name}
              lane={lane as Lane}
              marks={timed.filter((mark) => mark.lane === lane)}
              axis={axis}
              y={TOP + ROW * index}
              right={right}
            />
          ))}
          <Milestones incident={incident} axis={axis} bottom={bottom} right={right} />
          {hung !== null && <Hung hung={hung} left={right + BREAK} bottom={bottom} />}
        </svg>
      </div>
      <Legend />
    </>
  );
}

const Legend = () => (
  <p class="soft">
    Times are UTC, and below the picture count from the last sign of life. The capture, right of the red line,
    has its own scale. A dot or a line: the guest answered or printed; a cross: it did not answer; a diamond:
    a look from outside; the triangle: the last progress on the console.
  </p>
);

const time = (iso: string | null | undefined): number | null => {
  const ms = Date.parse(iso ?? '');
  return Number.isFinite(ms) ? ms : null;
};

function timedOf(marks: readonly Mark[]): Timed[] {
  return marks.slice(-MARKS_MAX).flatMap(({ at, until, ...mark }) => {
    const from = time(at);
    return from === null ? [] : [{ ...mark, at: from, until: time(until) ?? from }];
  });
}

/** With the time between the last sign of life and the suspicion in a colour of its own. */
function Field(props: { from: number; to: number; right: number; bottom: number }) {
  const { from, to, right, bottom } = props;
  return (
    <>
      <rect x={GUTTER} y={TOP} width={right - GUTTER} height={bottom - TOP} class="field" />
      <rect x={from} y={TOP} width={Math.max(0, to - from)} height={bottom - TOP} class="wedged" />
    </>
  );
}

function Ticks({ axis, bottom }: { axis: Axis; bottom: number }) {
  return (
    <>
      {axis.ticks.map(({ x, label }) => (
        <g class="tick">
          <line x1={x} x2={x} y1={TOP} y2={bottom} />
          <text x={x} y={bottom + 17}>
            {label}
          </text>
        </g>
      ))}
    </>
  );
}

function Milestones(props: { incident: Incident; axis: Axis; bottom: number; right: number }) {
  const { incident, axis, bottom, right } = props;
  const stones: { at: number; text: string; row: number; end?: boolean; kind: string }[] = [];
  const since = time(incident.wedgedSince);
  const progress = time(incident.lastProgress?.at);
  const [turn, filed] = [Date.parse(incident.startedAt), Date.parse(incident.filedAt)];
  if (since !== null) stones.push({ at: since, text: 'last sign of life', row: 0, kind: 'since' });
  stones.push({ at: turn, text: 'suspected', row: 1, kind: 'turn' });
  stones.push({ at: filed, text: 'filed', row: 0, end: true, kind: 'filed' });
  return (
    <>
      {stones.map(({ at, text, row, end, kind }) => {
        const x = Math.min(axis.x(at), right);
        return (
          <g class={`stone ${kind}`}>
            <line x1={x} x2={x} y1={8 + 18 * row} y2={bottom} />
            <text x={end === true ? x - 5 : x + 5} y={15 + 18 * row} class={end === true ? 'end' : ''}>
              {text} {clock(at)}
            </text>
          </g>
        );
      })}
      {progress !== null && (
        <Progress
          incident={incident}
          x={axis.x(progress)}
          at={progress}
          room={labelRoom(axis, [since, turn], progress)}
        />
      )}
    </>
  );
}

/** Up to where a label fits before the line behind it. */
function labelRoom({ x }: Axis, lines: readonly (number | null)[], at: number): number {
  const behind = lines.flatMap((line) => (line !== null && x(line) > x(at) ? [x(line)] : []));
  return behind.length === 0 ? 0 : Math.min(...behind) - LABEL_WIDTH;
}

/** Older than the picture, it stands at its left edge. */
function Progress({ incident, x, at, room }: { incident: Incident; x: number; at: number; room: number }) {
  return (
    <g class="progress">
      <title>{`${clock(at)} last progress on the console: ${printable(incident.lastProgress?.text ?? '', 200)}`}</title>
      <path d={`M${x - 6} ${TOP - 1}h12l-6 9z`} />
      {x < room && (
        <text x={x + 10} y={TOP - 6}>
          last progress {clock(at)}
        </text>
      )}
    </g>
  );
}

function Hung({
  hung,
  left,
  bottom,
}: {
  hung: NonNullable<ReturnType<typeof hungTask>>;
  left: number;
  bottom: number;
}) {
  const [from = '', to = ''] = hung.between?.map((iso) => iso.slice(11, 19)) ?? [];
  const lines = [
    ...wrapped(printable(hung.says, 120), Math.floor((HUNG_WIDTH - 30) / LETTER)),
    ...(hung.between === null ? [] : [`${from} to ${to}`]),
  ];
  const middle = (TOP + bottom) / 2;
  return (
    <g class="hung">
      <path d={`M${left - 24} ${middle - 9}l-5 18M${left - 16} ${middle - 9}l-5 18`} class="break" />
      <rect x={left} y={TOP} width={HUNG_WIDTH - 4} height={bottom - TOP} rx="7" />
      <text x={left + 12} y={TOP + 22} class="name">
        the kernel’s hung_task
      </text>
      {lines.map((line, index) => (
        <text x={left + 12} y={TOP + 44 + 17 * index}>
          {line}
        </text>
      ))}
    </g>
  );
}

function wrapped(text: string, room: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length >= room) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.slice(0, 5).map((line) => printable(line, room));
}

function description(incident: Incident, marks: readonly Timed[], hung: string | null): string {
  const count = (lane: Lane, good?: boolean) =>
    marks.filter((mark) => mark.lane === lane && (good === undefined || mark.good === good)).length;
  const parts = [
    incident.wedgedSince === null ? null : `Last sign of life at ${incident.wedgedSince}`,
    `suspected at ${incident.startedAt}, filed at ${incident.filedAt}`,
    marks.length === 0
      ? null
      : `SSH answered ${count('ssh', true)} times and failed ${count('ssh', false)} times; ${count('looks')} looks, ${count('chords')} chords, ${count('dumps')} dumps`,
    hung === null ? null : `The kernel’s hung_task: ${hung}`,
  ];
  return printable(`${parts.filter((part) => part !== null).join('. ')}.`, 600);
}

/** The timeline of report.html: what was seen of the guest and done to it, until the incident was filed. */
import { printable } from '../printable.js';
import { hungTask } from './hung-task.js';
import type { Incident } from './incident.js';
import { type Lane, LANES, type Mark } from './marks.js';
import { type Axis, timeAxis } from './time-axis.js';

const WIDTH = 1180;
const GUTTER = 78;
const TOP = 46;
const ROW = 30;
const HUNG_WIDTH = 216;
const BREAK = 34;
/** Of a letter at 11 px, rounded up. */
const LETTER = 6.8;
const LEAST_SCALE = 0.75;
/** Of what led to the first sign, if that is much older. */
const BEFORE_MS = 6_000;
/** Of `last progress` with its time. */
const LABEL_WIDTH = 180;
const MARKS_MAX = 1_000;

type Timed = Omit<Mark, 'at' | 'until'> & { at: number; until: number };

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
          <rect x={GUTTER} y={TOP} width={right - GUTTER} height={bottom - TOP} class="field" />
          <rect
            x={axis.x(since)}
            y={TOP}
            width={Math.max(0, axis.x(turn) - axis.x(since))}
            height={bottom - TOP}
            class="wedged"
          />
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
      <p class="soft">
        Times are UTC, and below the picture count from the last sign of life. The capture, right of the red
        line, has its own scale. A dot or a line: the guest answered or printed; a cross: it did not answer; a
        diamond: a look from outside.
      </p>
    </>
  );
}

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

const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 21).replace(/\.0$/, '');

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

interface LaneProps {
  name: string;
  lane: Lane;
  marks: readonly Timed[];
  axis: Axis;
  y: number;
  right: number;
}

function LaneRow({ name, lane, marks, axis, y, right }: LaneProps) {
  const middle = y + ROW / 2;
  return (
    <g class={`lane ${lane}`}>
      <line x1={GUTTER} x2={right} y1={y + ROW} y2={y + ROW} class="rule" />
      <text x="0" y={middle + 4} class="name">
        {name}
      </text>
      {clusters(lane, marks, axis).map((cluster) => (
        <Shape lane={lane} cluster={cluster} y={middle} />
      ))}
    </g>
  );
}

interface Cluster {
  x: number;
  width: number;
  label: string;
  marks: Timed[];
}

/** How wide a mark is: what would lie over another is drawn together with it. */
function widthOf(lane: Lane, label: string): number {
  if (lane === 'console') return 1;
  if (lane === 'chords') return label.length * LETTER + 9;
  return lane === 'dumps' ? (label.length + 1) * LETTER : 10;
}

function clusters(lane: Lane, marks: readonly Timed[], axis: Axis): Cluster[] {
  const all: Cluster[] = [];
  for (const mark of marks) {
    const x = axis.x(mark.at);
    const label = lane === 'chords' || lane === 'dumps' ? shortName(mark) : '';
    const last = all.at(-1);
    const together = last !== undefined && x < last.x + last.width + 1;
    if (last !== undefined && together && last.marks[0]?.good === mark.good) {
      last.marks.push(mark);
      last.label = label === '' ? '' : `${last.label} ${label}`;
      last.width = Math.max(last.width, widthOf(lane, last.label));
    } else
      all.push({
        x: together ? last.x + last.width + 1 : x,
        width: widthOf(lane, label),
        label,
        marks: [mark],
      });
  }
  return all;
}

/** The key of a chord; of a dump `w.1`. */
const shortName = ({ text }: Timed): string => printable(text.replace(/^sysrq-|:.*$/g, ''), 8);

function Shape({
  lane,
  cluster: { x, width, label, marks },
  y,
}: {
  lane: Lane;
  cluster: Cluster;
  y: number;
}) {
  const good = marks[0]?.good ?? null;
  const kind = good === null ? '' : good ? ' good' : ' bad';
  const words = marks.slice(0, 12).map(({ at, text }) => `${clock(at)} ${printable(text, 120)}`);
  if (marks.length > words.length) words.push(`and ${marks.length - words.length} more`);
  return (
    <g class={`mark${kind}`}>
      <title>{words.join('\n')}</title>
      {lane === 'console' && <rect x={x} y={y - 8} width="1.6" height="16" />}
      {lane === 'ssh' && (good === false ? <path d={cross(x, y)} /> : <circle cx={x} cy={y} r="4" />)}
      {lane === 'looks' && <path d={`M${x} ${y - 6}l6 6-6 6-6-6z`} />}
      {lane === 'chords' && (
        <>
          <rect x={x - 4} y={y - 9} width={width - 1} height="18" rx="4" class="key" />
          <text x={x} y={y + 4}>
            {label}
          </text>
        </>
      )}
      {lane === 'dumps' && (
        <text x={x} y={y + 4}>
          {label}
        </text>
      )}
    </g>
  );
}

const cross = (x: number, y: number): string => `M${x - 4} ${y - 4}l8 8M${x + 4} ${y - 4}l-8 8`;

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

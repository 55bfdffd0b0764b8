/** The lanes of the timeline of a report, and the shapes in them. */
import { printable } from '../printable.js';
import type { Lane, Mark } from './marks.js';
import type { Axis } from './time-axis.js';

/** What stands left of the lanes, and how high one is. */
export const GUTTER = 78;
export const ROW = 30;
/** Of a letter at 11 px, rounded up. */
export const LETTER = 6.8;

export type Timed = Omit<Mark, 'at' | 'until'> & { at: number; until: number };

export const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 21).replace(/\.0$/, '');

interface LaneProps {
  name: string;
  lane: Lane;
  marks: readonly Timed[];
  axis: Axis;
  y: number;
  right: number;
}

export function LaneRow({ name, lane, marks, axis, y, right }: LaneProps) {
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

/** The icicle of report.html: an SVG that needs no script. */
import type { Dump } from '../model.js';
import { printable } from '../printable.js';
import { counted } from '../words.js';
import { type Bar, type Icicle, icicle } from './icicle.js';
import { shownDump } from './tasks.js';
import { FAMILIES, FAMILY_NAMES } from './wait-family.js';

const WIDTH = 1180;
const ROW = 20;
/** Of a monospaced letter at 11 px, rounded up. */
const LETTER = 6.8;
const LABEL_MAX = 120;
/** Below this its letters are too small to read: then it scrolls. */
const LEAST_SCALE = 0.75;

/** Every stack of the dump that shows most: width is tasks, colour what they wait for. Null where none is worth it. */
export function IciclePicture({ dumps }: { dumps: readonly Dump[] }) {
  const shown = shownDump(dumps);
  if (shown === null) return null;
  const picture = icicle(shown, dumps);
  const { bars, depth, tasks, idle } = picture;
  if (tasks === 0) return null;
  const height = depth * ROW + (idle > 0 ? ROW + 6 : 0);
  return (
    <section id="glance">
      <h2>All stacks at a glance</h2>
      <p class="soft">
        Top: how the kernel was entered; bottom: where {counted(tasks, 'task')} sleep or run. Width: tasks.
        Point at a bar for its tasks; every stack stands in words under “Stacks”.
      </p>
      <Legend picture={picture} />
      <div class="picture" tabIndex={0} role="region" aria-label="All stacks, a picture that scrolls">
        <svg
          viewBox={`0 0 ${WIDTH} ${height}`}
          width={WIDTH}
          height={height}
          style={`min-width: ${WIDTH * LEAST_SCALE}px`}
          role="img"
          aria-labelledby="icicle-title icicle-text"
        >
          <title id="icicle-title">Icicle of all stacks</title>
          <desc id="icicle-text">{description(bars, tasks, idle)}</desc>
          <defs>
            <pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse">
              <path d="M-1 8 8 -1" class="hatch" />
            </pattern>
          </defs>
          {bars.map((bar) => (
            <BarShape bar={bar} />
          ))}
          {idle > 0 && <IdleBar top={depth * ROW + 6} idle={idle} />}
        </svg>
      </div>
    </section>
  );
}

function Legend({ picture: { bars, families } }: { picture: Icicle }) {
  return (
    <ul class="legend">
      {FAMILIES.filter((family) => families.has(family)).map((family) => (
        <li>
          <span class={`swatch f-${family}`} />
          {FAMILY_NAMES[family]}: {families.get(family)}
        </li>
      ))}
      {bars.some(({ unchanged }) => unchanged > 0) && (
        <li>
          <span class="swatch hatched" />
          hatched: did not move between two dumps
        </li>
      )}
    </ul>
  );
}

function IdleBar({ top, idle }: { top: number; idle: number }) {
  return (
    <g class="bar f-idle">
      <title>Kernel threads that wait for work; not to scale</title>
      <rect x="0" y={top} width={WIDTH} height={ROW - 1} />
      <text x="6" y={top + 14}>
        {counted(idle, 'idle kernel thread')}, not to scale
      </text>
    </g>
  );
}

function BarShape({ bar }: { bar: Bar }) {
  const { label, left, width, depth, tasks, unchanged, family, members } = bar;
  const box = {
    x: round(left * WIDTH),
    y: depth * ROW,
    width: Math.max(1, round(width * WIDTH) - 1),
    height: ROW - 1,
  };
  const room = Math.floor((box.width - 8) / LETTER);
  const name = printable(label, LABEL_MAX);
  const who = printable(members.join(', '), 300) + (tasks > members.length ? ', …' : '');
  const waits = family === null ? '' : `; waits for: ${FAMILY_NAMES[family]}`;
  const still = unchanged === 0 ? '' : `; ${unchanged} did not move between two dumps`;
  return (
    <g class={`bar f-${family ?? 'mixed'}`}>
      <title>{`${name} — ${counted(tasks, 'task')}${waits}${still}\n${who}`}</title>
      <rect {...box} />
      {unchanged === tasks && <rect {...box} class="hatched" fill="url(#hatch)" />}
      {room >= 3 && (
        <text x={box.x + 4} y={box.y + 14}>
          {name.length > room ? `${name.slice(0, room - 1)}…` : name}
        </text>
      )}
    </g>
  );
}

/** The widest ways into the kernel, in words. */
function description(bars: readonly Bar[], tasks: number, idle: number): string {
  const entries = bars.filter(({ depth }) => depth === 0).slice(0, 8);
  const named = entries.map(({ label, tasks: count }) => `${printable(label, 60)}: ${count}`);
  const more = idle === 0 ? '' : ` ${counted(idle, 'idle kernel thread')} besides.`;
  return `${counted(tasks, 'task')} by their way into the kernel: ${named.join(', ')}.${more}`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

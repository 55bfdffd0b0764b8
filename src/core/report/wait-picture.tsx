/** The wait chain of report.html: an SVG that needs no script, laid out from the victims on the left to the cause. */
import type { Analysis } from '../model.js';
import { printable } from '../printable.js';
import { counted } from '../words.js';
import { layered, type Point } from './graph-layout.js';
import { type Arrow, type Box, waitGraph } from './wait-graph.js';

const BOX_WIDTH = 250;
const LINE = 17;
const PAD = 10;
/** Of a letter at 12 px, rounded up: monospaced ones, and bold ones of a title. */
const LETTER = 7.3;
const ROOM = Math.floor((BOX_WIDTH - 2 * PAD) / LETTER);
const LABEL_MAX = 30;
/** Below this its letters are too small to read: then it scrolls. */
const LEAST_SCALE = 0.75;

interface Placed {
  boxes: (Box & Point & { height: number })[];
  arrows: (Arrow & { points: Point[]; at: Point })[];
  width: number;
  height: number;
}

/** Null where there is nothing to draw. The list of waits below it says the same in words. */
export function WaitPicture({ analysis }: { analysis: Pick<Analysis, 'verdict' | 'groups' | 'waits'> }) {
  const graph = waitGraph(analysis);
  if (graph === null) return null;
  const { boxes, arrows, width, height } = placed(graph.boxes, graph.arrows);
  const { left } = graph;
  return (
    <>
      <div class="picture" tabIndex={0} role="region" aria-label="Wait chain, a picture that scrolls">
        <svg
          viewBox={`0 0 ${width} ${height}`}
          width={width}
          height={height}
          style={`min-width: ${Math.round(width * LEAST_SCALE)}px`}
          role="img"
          aria-labelledby="waits-title waits-text"
        >
          <title id="waits-title">Who waits for whom</title>
          <desc id="waits-text">{description(graph.boxes, graph.arrows)}</desc>
          {arrows.map((arrow) => (
            <ArrowShape arrow={arrow} />
          ))}
          {boxes.map((box) => (
            <BoxShape box={box} />
          ))}
        </svg>
      </div>
      {left.boxes > 0 && (
        <p class="soft">
          {counted(left.tasks, 'more stuck task')} with {counted(left.boxes, 'other stack')}{' '}
          {left.boxes === 1 ? 'is' : 'are'} not drawn.
        </p>
      )}
    </>
  );
}

const TAGS: Readonly<Record<Box['kind'], string | null>> = {
  root: 'ROOT CAUSE',
  task: null,
  outside: 'NOT IN THE DUMP',
};

const tagOf = ({ kind, ring }: Box): string | null =>
  [TAGS[kind], ring ? 'RING' : null].filter((tag) => tag !== null).join(', ') || null;

const heightOf = (box: Box): number =>
  2 * PAD +
  LINE *
    (1 + Number(tagOf(box) !== null) + (box.kind === 'outside' ? wrapped(box).length - 1 : box.lines.length));

/** What stands outside is a sentence: it takes two lines where it must. */
function wrapped({ title }: Box): string[] {
  const words = printable(title, 4 * ROOM).split(' ');
  const lines = [''];
  for (const word of words) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length >= ROOM) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.slice(0, 4).map((line) => cut(line, ROOM));
}

function placed(boxes: readonly Box[], arrows: readonly Arrow[]): Placed {
  const sizes = boxes.map((box) => ({ id: box.id, width: BOX_WIDTH, height: heightOf(box) }));
  const labels = arrows.map(({ from, to, label }) => {
    return { from, to, label: { width: cut(label, LABEL_MAX).length * LETTER + 12, height: LINE } };
  });
  const { nodes, edges, width, height } = layered(sizes, labels);
  return {
    width,
    height,
    boxes: boxes.map((box, index) => {
      const { x = 0, y = 0 } = nodes[index] ?? {};
      return { ...box, x, y, height: sizes[index]?.height ?? 0 };
    }),
    arrows: arrows.map((arrow, index) => {
      const { points = [], x = 0, y = 0 } = edges[index] ?? {};
      return { ...arrow, points, at: { x, y } };
    }),
  };
}

function BoxShape({ box }: { box: Placed['boxes'][number] }) {
  const { x, y, height, kind, ring, lines, title, members } = box;
  const left = x - BOX_WIDTH / 2;
  const top = y - height / 2;
  const tag = tagOf(box);
  const heads = kind === 'outside' ? wrapped(box) : [cut(title, ROOM)];
  const rows = [
    ...(tag === null ? [] : [{ text: tag, kind: 'tag' }]),
    ...heads.map((text) => ({ text, kind: 'head' })),
    ...lines.map((line) => ({ text: cut(line, ROOM), kind: 'line' })),
  ];
  return (
    <g class={`box ${kind}${ring ? ' ring' : ''}`}>
      <title>{printable([members === '' ? title : members, ...lines].join(' · '), 600)}</title>
      {ring && (
        <rect x={left - 5} y={top - 5} width={BOX_WIDTH + 10} height={height + 10} rx="11" class="ringed" />
      )}
      <rect x={left} y={top} width={BOX_WIDTH} height={height} rx="7" />
      {rows.map((row, index) => (
        <text x={left + PAD} y={top + PAD + LINE * index + 12} class={row.kind}>
          {row.text}
        </text>
      ))}
    </g>
  );
}

function ArrowShape({ arrow: { points, label, guess, ring, at } }: { arrow: Placed['arrows'][number] }) {
  const text = cut(label, LABEL_MAX);
  const width = text.length * LETTER + 8;
  return (
    <g class={`arrow${guess ? ' guess' : ''}${ring ? ' ring' : ''}`}>
      <title>{printable(`${label}${guess ? ', a guess from the stacks' : ''}`, 300)}</title>
      <path d={curve(points)} />
      <polygon points={head(points)} />
      <rect x={at.x - width / 2} y={at.y - 9} width={width} height="18" rx="3" />
      <text x={at.x} y={at.y + 4}>
        {text}
      </text>
    </g>
  );
}

/** Through the middles of the layout's corners. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  const bends = rest.slice(0, -1).map((corner, index) => {
    const next = rest[index + 1] ?? corner;
    const end = index === rest.length - 2 ? next : { x: (corner.x + next.x) / 2, y: (corner.y + next.y) / 2 };
    return `Q${at(corner)} ${at(end)}`;
  });
  return `M${at(first)}${bends.length === 0 ? rest.map((point) => `L${at(point)}`).join('') : bends.join('')}`;
}

/** A triangle at the last point, along the last stretch. */
function head(points: readonly Point[]): string {
  const tip = points.at(-1) ?? { x: 0, y: 0 };
  const from = points.at(-2) ?? tip;
  const angle = Math.atan2(tip.y - from.y, tip.x - from.x);
  const corner = (turn: number): Point => ({
    x: tip.x - 10 * Math.cos(angle + turn),
    y: tip.y - 10 * Math.sin(angle + turn),
  });
  return [tip, corner(0.42), corner(-0.42)].map(at).join(' ');
}

const at = ({ x, y }: Point): string => `${Math.round(x * 10) / 10},${Math.round(y * 10) / 10}`;

const cut = (text: string, max: number): string => printable(text, max);

function description(boxes: readonly Box[], arrows: readonly Arrow[]): string {
  const names = new Map(boxes.map(({ id, title }) => [id, title]));
  const root = boxes.find(({ kind }) => kind === 'root');
  const ring = boxes.filter((box) => box.ring).map(({ title }) => title);
  const sentences = arrows
    .slice(0, 12)
    .map(({ from, to, label }) => `${names.get(from) ?? ''} to ${names.get(to) ?? ''} (${label}).`);
  if (root) sentences.unshift(`The root cause is ${root.title}.`);
  if (ring.length > 0) sentences.push(`A ring of waits: ${ring.join(', ')}.`);
  return printable(sentences.join(' '), 2000);
}

/** The part of report.html that shows the tasks: groups of stacks, and the dumps they were read from. */
import { framesWithLines, membersOf } from '../analysis/groups.js';
import { parseTaskHeader } from '../dump/task-header.js';
import type { StackGroup } from '../model.js';
import { printable } from '../printable.js';
import { counted } from '../words.js';
import { type DumpText, placeId, type Places } from './dump-anchors.js';
import { Filter } from './html-filter.js';
import { InDumps } from './html-parts.js';
import { topGroups } from './summary.js';
import { familyOf, FAMILY_NAMES, type Family } from './wait-family.js';

const GROUPS_OPEN = 3;
const GROUPS_SHOWN = 200;
const FRAMES_SHOWN = 64;
const MEMBERS_SHOWN = 12;
const LINE_MAX = 500;

interface Shown {
  group: StackGroup;
  /** A letter, or `other`: what a guest calls a state is no name for a class. */
  state: string;
  family: Family;
}

const shownAs = (group: StackGroup): Shown => ({
  group,
  state: /^[A-Za-z]$/.test(group.state) ? group.state : 'other',
  family: familyOf(group.annotation?.wait ?? null),
});

/** Each group of equal stacks a line that unfolds; the first ones are open, idle threads are shown on demand. */
export function Stacks({ groups, places }: { groups: readonly StackGroup[]; places: Places }) {
  if (groups.length === 0) return null;
  const busy = topGroups(groups, GROUPS_SHOWN).map(shownAs);
  const idle = groups
    .filter((group) => group.idle)
    .slice(0, GROUPS_SHOWN)
    .map(shownAs);
  const hidden = groups.length - busy.length - idle.length;
  const all = [...busy, ...idle];
  return (
    <section id="stacks">
      <h2>Stacks, equal ones together</h2>
      <div class="filtered">
        <Filter
          facets={[
            { name: 'state', title: 'State', values: tally(busy, ({ state }) => [state, state]) },
            {
              name: 'family',
              title: 'Waits for',
              values: tally(busy, ({ family }) => [family, FAMILY_NAMES[family]]),
            },
          ]}
          absent={absentOf(busy)}
        />
        {idle.length > 0 && (
          <p class="choice">
            <label>
              <input type="checkbox" class="pick-idle" /> show {counted(tasksIn(idle), 'idle kernel thread')}
            </label>
          </p>
        )}
        <div class="groups">
          {all.map((shown, index) => (
            <Group
              shown={shown}
              number={index + 1}
              open={index < GROUPS_OPEN && !shown.group.idle}
              places={places}
            />
          ))}
        </div>
        <p class="none soft">No busy task is both.</p>
      </div>
      {hidden > 0 && <p class="soft">{hidden} further groups are in stacks.txt.</p>}
    </section>
  );
}

const tasksIn = (shown: readonly Shown[]): number => shown.reduce((sum, { group }) => sum + group.count, 0);

/** How many busy tasks have each value; `of` returns its name and its title. */
function tally(shown: readonly Shown[], of: (one: Shown) => [name: string, title: string]) {
  const values = new Map<string, { name: string; title: string; count: number }>();
  for (const one of shown) {
    const [name, title] = of(one);
    const value = values.get(name) ?? { name, title, count: 0 };
    value.count += one.group.count;
    values.set(name, value);
  }
  return [...values.values()];
}

/** Pairs of values that no busy group has. */
function absentOf(busy: readonly Shown[]): string[][] {
  const there = new Set(busy.map(({ state, family }) => `${state} ${family}`));
  const states = new Set(busy.map(({ state }) => state));
  const families = new Set(busy.map(({ family }) => family));
  return [...states].flatMap((state) =>
    [...families]
      .filter((family) => !there.has(`${state} ${family}`))
      .map((family) => [`state-${state}`, `family-${family}`]),
  );
}

interface GroupProps {
  shown: Shown;
  number: number;
  open: boolean;
  places: Places;
}

function Group({ shown: { group, state, family }, number, open, places }: GroupProps) {
  const frames = framesWithLines(group)
    .slice(0, FRAMES_SHOWN)
    .map((frame) => printable(frame, LINE_MAX));
  if (group.frames.length > FRAMES_SHOWN) frames.push('…');
  const operation = group.annotation?.operation ?? null;
  return (
    <details
      id={`group-${number}`}
      open={open}
      class={`group state-any family-any state-${state} family-${family}${group.idle ? ' idle' : ''}`}
    >
      <summary>
        <span class={`swatch f-${family}`} title={FAMILY_NAMES[family]} />
        <b>{group.count}</b> in <b>{printable(group.state, 8)}</b>{' '}
        <span class="mono">{printable(membersOf(group, MEMBERS_SHOWN), LINE_MAX)}</span>
        {operation !== null && <span class="mono soft">{` ${printable(operation, 80)}`}</span>}
      </summary>
      <First group={group} places={places} />
      <pre tabIndex={0}>{frames.length === 0 ? '(no stack)' : frames.join('\n')}</pre>
    </details>
  );
}

/** The first of the group, where it stands in the dumps. */
function First({ group, places }: { group: StackGroup; places: Places }) {
  const pid = group.pids.find((one) => places.has(one));
  const found = pid === undefined ? undefined : places.get(pid);
  if (pid === undefined || found === undefined) return null;
  return (
    <p class="soft">
      {printable(found.comm, 16)}:{pid} in the dumps: <InDumps pid={pid} found={found} />
    </p>
  );
}

/** The dumps as they landed, folded, with an anchor at each task; a link to its file where one is too large. */
export function Dumps({ dumps }: { dumps: readonly DumpText[] }) {
  if (dumps.length === 0) return null;
  return (
    <section id="dumps">
      <h2>The dumps as they landed</h2>
      {dumps.map((dump) =>
        dump.text === null ? (
          <p>
            <a href={encodeURIComponent(dump.file)}>{dump.file}</a>, {kibibytes(dump.bytes)}, is too large for
            this page.
          </p>
        ) : (
          <details>
            <summary>
              <span class="mono">{dump.file}</span>, {kibibytes(dump.bytes)}
              {dump.excerpt === true && ': the tasks that the verdict rests on'}
            </summary>
            {dump.excerpt === true && (
              <p>
                All tasks are in <a href={encodeURIComponent(dump.file)}>{dump.file}</a>.
              </p>
            )}
            <pre tabIndex={0}>{anchored(dump.file, dump.text)}</pre>
          </details>
        ),
      )}
    </section>
  );
}

const kibibytes = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;

/** The header of each task can be pointed at; what is between stays one text. */
function anchored(file: string, text: string) {
  const parts: (string | ReturnType<typeof Anchor>)[] = [];
  const seen = new Set<string>();
  let plain: string[] = [];
  for (const line of text.split('\n')) {
    const pid = parseTaskHeader(line)?.pid ?? null;
    const id = pid === null ? null : placeId(file, pid);
    const shown = printable(line, LINE_MAX);
    if (id === null || seen.has(id)) {
      plain.push(shown);
      continue;
    }
    seen.add(id);
    if (plain.length > 0) parts.push(`${plain.join('\n')}\n`);
    plain = [];
    parts.push(<Anchor id={id} line={shown} />, '\n');
  }
  parts.push(plain.join('\n'));
  return parts;
}

const Anchor = ({ id, line }: { id: string; line: string }) => <b id={id}>{line}</b>;

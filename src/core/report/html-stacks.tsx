/** The part of report.html that shows the tasks: groups of stacks, and the dumps they were read from. */
import { framesWithLines, membersOf } from '../analysis/groups.js';
import type { StackGroup } from '../model.js';
import { printable } from '../printable.js';
import { counted } from '../words.js';
import { topGroups } from './summary.js';

export interface DumpText {
  /** Of the file beside the report. */
  file: string;
  bytes: number;
  /** Null where it is too large for the page. */
  text: string | null;
}

const GROUPS_OPEN = 5;
const GROUPS_SHOWN = 200;
const FRAMES_SHOWN = 64;
const MEMBERS_SHOWN = 12;
const LINE_MAX = 500;

/** Each group of equal stacks: the first ones open, the others and the idle threads folded. */
export function Stacks({ groups }: { groups: readonly StackGroup[] }) {
  const busy = topGroups(groups, GROUPS_SHOWN);
  const idle = groups.filter((group) => group.idle).slice(0, GROUPS_SHOWN);
  const hidden = groups.length - busy.length - idle.length;
  if (groups.length === 0) return null;
  return (
    <section>
      <h2>Stacks, equal ones together</h2>
      {busy.slice(0, GROUPS_OPEN).map((group) => (
        <Group group={group} />
      ))}
      <Folded kind="other stack" groups={busy.slice(GROUPS_OPEN)} />
      <Folded kind="kind of idle kernel thread" groups={idle} />
      {hidden > 0 && <p class="soft">{hidden} further groups are in stacks.txt.</p>}
    </section>
  );
}

/** `kind` is a singular, whose first noun takes the s. */
function Folded({ kind, groups }: { kind: string; groups: readonly StackGroup[] }) {
  if (groups.length === 0) return null;
  const tasks = groups.reduce((sum, { count }) => sum + count, 0);
  return (
    <details>
      <summary>
        {groups.length} {groups.length === 1 ? kind : kind.replace(/kind|stack/, '$&s')},{' '}
        {counted(tasks, 'task')}
      </summary>
      {groups.map((group) => (
        <Group group={group} />
      ))}
    </details>
  );
}

function Group({ group }: { group: StackGroup }) {
  const frames = framesWithLines(group)
    .slice(0, FRAMES_SHOWN)
    .map((frame) => printable(frame, LINE_MAX));
  if (group.frames.length > FRAMES_SHOWN) frames.push('…');
  return (
    <>
      <h3>
        {counted(group.count, 'task')} in {printable(group.state, 8)}:{' '}
        <span class="mono">{printable(membersOf(group, MEMBERS_SHOWN), LINE_MAX)}</span>
      </h3>
      <pre tabIndex={0}>{frames.length === 0 ? '(no stack)' : frames.join('\n')}</pre>
    </>
  );
}

/** The dumps as they landed, folded; a link to its file where one is too large. */
export function Dumps({ dumps }: { dumps: readonly DumpText[] }) {
  if (dumps.length === 0) return null;
  return (
    <section>
      <h2>The dumps as they landed</h2>
      {dumps.map(({ file, bytes, text }) =>
        text === null ? (
          <p>
            <a href={encodeURIComponent(file)}>{file}</a>, {kibibytes(bytes)}, is too large for this page.
          </p>
        ) : (
          <details>
            <summary>
              <span class="mono">{file}</span>, {kibibytes(bytes)}
            </summary>
            <pre tabIndex={0}>{lines(text)}</pre>
          </details>
        ),
      )}
    </section>
  );
}

const kibibytes = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;

const lines = (text: string): string =>
  text
    .split('\n')
    .map((line) => printable(line, LINE_MAX))
    .join('\n');

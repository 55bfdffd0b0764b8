/** verdict.txt, which `show` prints as well. */
import { type Known, knownText } from '../config/known.js';
import { framesWithLines, membersOf } from '../analysis/groups.js';
import type { CaptureRung } from '../capture/rungs.js';
import { printable } from '../printable.js';
import { counted } from '../words.js';
import type { HookRun, Incident } from './incident.js';
import { memoryLacks, recoveredText, topGroups, unitOf } from './summary.js';

const LINE_MAX = 400;
const GROUPS_SHOWN = 5;
const FRAMES_SHOWN = 16;
const WAITS_SHOWN = 20;
const MEMBERS_SHOWN = 8;

export const MEMORY_FILE = 'memory.elf';
/** What was read from the guest's memory: its tasks, and the kernel's log. */
export const MEMORY_TEXT = 'memory.txt';
export const DMESG_TEXT = 'dmesg.txt';

/** What each file of an incident is, in the order in which one would open them. */
export const FILES: Readonly<Record<string, string>> = {
  'report.html': 'all of this in one page',
  'stacks.txt': 'all stacks, identical ones grouped',
  [MEMORY_TEXT]: 'all tasks with their stacks, read from the memory of the guest',
  [DMESG_TEXT]: 'the log of its kernel, read from there as well',
  'console.txt': 'the console around the stall, cleaned',
  'console.raw': 'its raw bytes',
  'stacks.folded': 'for flame-graph tools',
  'stacks.speedscope.json': 'for speedscope',
  'host.json': 'QEMU, its vCPUs, disks and backends, seen from the host',
  'timeline.jsonl': 'the events that led to the decision',
  'incident.json': 'everything, for programs',
  [MEMORY_FILE]: 'the memory of the guest, for crash or drgn; private',
  'verdict.txt': 'this text',
};

/**
 * The verdict first, then what it rests on, then the files' names; `directory` is said where the text stands
 * elsewhere, `seen` where the rest of the archive is known, `known` what the team knows of the hang.
 */
export function renderVerdict(
  incident: Incident,
  files: readonly string[],
  { directory, seen, known }: { directory?: string; seen?: string; known?: Known | null } = {},
): string {
  const { verdict, waits } = incident;
  const lines = [
    verdict.title,
    '',
    ...facts(incident, seen ?? null, known ?? null),
    ...section('Why it was suspected', bullets(incident.why)),
    ...section('Why this verdict', bullets(verdict.reasons)),
    ...section('Inferred from outside the guest', bullets(verdict.inferred)),
    ...section(...evidence(incident)),
    ...section('How it was captured', incident.capture.map(rungLine)),
    ...section('What was run because of it', (incident.hooks ?? []).map(hookLine)),
    ...section('Who waits for whom', bullets(waits.slice(0, WAITS_SHOWN).map(waitLine))),
    ...section(`Stacks${incident.groups.length > GROUPS_SHOWN ? ', the top groups' : ''}`, stacks(incident)),
    ...section(directory === undefined ? 'Files' : `Files in ${directory}`, files.map(fileLine)),
  ];
  return `${lines.map((line) => printable(line, LINE_MAX)).join('\n')}\n`;
}

const section = (title: string, body: readonly string[]): string[] =>
  body.length === 0 ? [] : ['', title, ...body];

const bullets = (sentences: readonly string[]): string[] => sentences.map((sentence) => `  - ${sentence}`);

export const waitLine = ({ waiter, owner, through, confidence }: Incident['waits'][number]): string =>
  `${waiter} → ${owner} (${through}, confidence ${confidence})`;

function facts(incident: Incident, seen: string | null, known: Known | null): string[] {
  const { verdict, lastProgress, culprit } = { ...incident, culprit: incident.verdict.culprit };
  const rows: (readonly [name: string, value: string | null])[] = [
    ['Class', `${verdict.class}, confidence ${verdict.confidence}`],
    ['Culprit', culprit && `${culprit.comm}:${culprit.pid ?? '?'} in ${culprit.state}, ${culprit.frame}`],
    ['Guest', [incident.vm, unitOf(incident)].filter((one) => one !== null).join(', ')],
    ['Kernel', incident.kernel],
    ['Note', incident.note],
    ['Armed', incident.armed],
    ['Wedged since', incident.wedgedSince],
    ['Last progress', lastProgress && `${lastProgress.at} ${lastProgress.text}`],
    ['Waits for', incident.awaiting],
    ['Test', incident.test && `${incident.test.text}, begun ${incident.test.at}`],
    ['Captured', `${incident.startedAt}, filed ${incident.filedAt}`],
    ['Recovered', incident.recoveredAt && recoveredText(incident, incident.recoveredAt)],
    ['Fingerprint', `${incident.fingerprint} (version ${incident.fingerprintVersion})`],
    ['Seen', seen],
    ['Known', known && knownText(known).replace(/^known: /, '')],
    ['Incident', incident.id],
  ];
  return rows.flatMap(([name, value]) => (value === null ? [] : [`${`${name}:`.padEnd(15)}${value}`]));
}

function evidence(incident: Incident): [string, string[]] {
  const { complete, incompleteBecause, dumps } = incident.evidence;
  const rows = dumps.flatMap(({ name, key, complete: whole, lines, endedBy, mended }) => [
    `  ${name.padEnd(10)} ${whole ? 'complete' : 'INCOMPLETE'}, ${lines} lines, ended by ${endedBy}${mended === undefined ? '' : `, ${counted(mended, 'torn header')} mended`}`,
    ...memoryLacks(incident, key).map((why) => `             ${why}`),
  ]);
  const title = complete ? 'Evidence: complete' : 'Evidence: INCOMPLETE';
  return [title, [...bullets(incompleteBecause), ...(rows.length === 0 ? ['  no dump'] : rows)]];
}

const rungLine = ({ rung, outcome, detail }: CaptureRung): string =>
  `  ${rung.padEnd(16)} ${outcome}: ${detail}`;

const hookLine = ({ command, outcome, detail }: HookRun): string =>
  `  ${command.join(' ')}: ${outcome}: ${detail}`;

function stacks({ groups }: Incident): string[] {
  return topGroups(groups, GROUPS_SHOWN).flatMap((group) => {
    const frames = framesWithLines(group)
      .slice(0, FRAMES_SHOWN)
      .map((frame) => `      ${frame}`);
    if (group.frames.length > FRAMES_SHOWN) frames.push('      …');
    return [
      `  ${counted(group.count, 'task')} in ${group.state}: ${membersOf(group, MEMBERS_SHOWN)}`,
      ...frames,
    ];
  });
}

function fileLine(name: string): string {
  const about = FILES[name] ?? (name.startsWith('sysrq-') ? 'the dump as it landed' : '');
  return `  ${name.padEnd(18)} ${about}`.trimEnd();
}

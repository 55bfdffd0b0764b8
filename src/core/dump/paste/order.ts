/** Whether a log begins with its newest line, as `journalctl -r` and many web pages show one. */
import { stripPrefix } from '../../console/prefix.js';
import type { Part } from './prefixes.js';

/** Lines that follow each other in every report, in this order. */
const NEIGHBOURS: readonly (readonly [first: RegExp, next: RegExp])[] = [
  [/^INFO: task .* blocked /, /^(?:Not tainted|Tainted: )/],
  [/^(?:Not tainted|Tainted: )/, /^"echo 0 >/],
  [/^task:.* state:/, /^(?:Workqueue: |Call [Tt]race:)/],
  [/^Call [Tt]race:/, /^(?:<TASK>|(?!(?:NIP|LR|RIP|pc|lr|epc|ra)\b).*\+0x)/],
  [/^(?:\? )?__schedule\+0x/, /^(?:\? )?schedule\w*\+0x/],
  [/^do_syscall_64\+0x/, /^entry_SYSCALL/],
  [/^worker_thread\+0x/, /^(?:\? )?kthread\+0x/],
  [/^kthread\+0x/, /^ret_from_fork/],
  [/^<TASK>/, /.*\+0x/],
];
const CLOCK = /(\d\d):(\d\d):(\d\d)/;
/** Where the day's time stands in a line, if it has one in front. */
const WITHIN = 40;
const STEPS_MIN = 3;
const CLEARLY = 4;

interface Votes {
  forwards: number;
  backwards: number;
}

function neighbours(parts: readonly Part[]): Votes {
  const votes = { forwards: 0, backwards: 0 };
  parts.forEach(({ text }, index) => {
    const last = parts[index - 1]?.text;
    if (last === undefined) return;
    for (const [first, next] of NEIGHBOURS) {
      if (first.test(last) && next.test(text)) votes.forwards += 1;
      if (first.test(text) && next.test(last)) votes.backwards += 1;
    }
  });
  return votes;
}

function clock({ body }: Part): number | null {
  const { seconds } = stripPrefix(body);
  if (seconds !== null) return seconds;
  const [, hours, minutes, rest] = CLOCK.exec(body.slice(0, WITHIN)) ?? [];
  return hours === undefined ? null : Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
}

function times(parts: readonly Part[]): Votes {
  const votes = { forwards: 0, backwards: 0 };
  let last: number | null = null;
  for (const part of parts) {
    const now = clock(part);
    if (now === null) continue;
    if (last !== null && now > last) votes.forwards += 1;
    if (last !== null && now < last) votes.backwards += 1;
    last = now;
  }
  return votes;
}

/** What its reports and its times say; where they disagree, neither is believed. */
export function isNewestFirst(parts: readonly Part[]): boolean {
  const told = neighbours(parts);
  const timed = times(parts);
  if (told.forwards > told.backwards) return false;
  if (told.backwards > told.forwards)
    return timed.forwards < STEPS_MIN || timed.forwards <= CLEARLY * timed.backwards;
  return timed.backwards >= STEPS_MIN && timed.backwards > CLEARLY * timed.forwards;
}

/** How far SSH comes into a guest: each step with the age of what says so, and why that may not count. */
import type { GuestSettings } from '../config/schema.js';
import type { SshStep } from '../ssh/command-probe.js';
import type { Mono } from '../time.js';
import { unknownToSsh } from '../ssh/ssh-config.js';
import { seconds } from '../words.js';
import { hangsSince } from './slices/command.js';
import type { GuestState } from './state.js';

export interface StepStatus {
  step: SshStep;
  says: 'ok' | 'failed' | 'hangs' | 'unknown';
  /** Milliseconds since it was seen; for one that hangs, how long it has; null where nothing was. */
  ageMs: number | null;
  doubt: string | null;
}

const OLD_MS = 5_000;

export function sshSteps(state: GuestState, settings: GuestSettings, at: Mono): StepStatus[] {
  return [...greetingSteps(state, at), ...deeperSteps(state, settings, at)];
}

/** What the frequent probe finds: no login. */
function greetingSteps({ ssh: { last, lastAt } }: GuestState, at: Mono): StepStatus[] {
  const ageMs = lastAt === null ? null : at - lastAt;
  const both = (says: StepStatus['says'], doubt: string | null): StepStatus[] =>
    (['connect', 'banner'] as const).map((step) => ({ step, says, ageMs, doubt }));
  if (last === null) return both('unknown', 'not asked yet');
  if (last.kind === 'host-fault') return both('unknown', last.detail);
  if (last.kind === 'ok') return both('ok', null);
  if (last.step !== 'banner')
    return [
      { step: 'connect', says: 'failed', ageMs, doubt: null },
      { step: 'banner', says: 'unknown', ageMs: null, doubt: 'no connection' },
    ];
  return [
    { step: 'connect', says: 'ok', ageMs, doubt: "QEMU's own network accepts for a dead guest" },
    { step: 'banner', says: 'failed', ageMs, doubt: null },
  ];
}

/** What the rarer command finds. */
function deeperSteps(state: GuestState, settings: GuestSettings, at: Mono): StepStatus[] {
  const { command } = state;
  const { last, lastAt } = command;
  const since = hangsSince(state);
  if (since !== null)
    return upTo(command.inFlight ? command.at : (last?.step ?? 'login'), 'hangs', at - since);
  if (!settings.ssh.login) return neither('ssh.login is off');
  if (state.ssh.last?.way !== undefined) return neither(unknownToSsh(settings.ssh.host));
  if (last === null || lastAt === null) return neither('not asked yet');
  const ageMs = at - lastAt;
  if (last.kind === 'host-fault') return neither(last.detail);
  if (last.kind === 'ok')
    return [
      { step: 'login', says: 'ok', ageMs, doubt: null },
      { step: 'command', says: 'ok', ageMs, doubt: last.doubt ?? null },
    ];
  return upTo(last.step, 'failed', ageMs, last.detail);
}

const neither = (doubt: string): StepStatus[] =>
  (['login', 'command'] as const).map((step) => ({ step, says: 'unknown', ageMs: null, doubt }));

/** One of the two steps is where it ends. */
function upTo(
  step: SshStep,
  says: 'hangs' | 'failed',
  ageMs: number,
  doubt: string | null = null,
): StepStatus[] {
  if (step === 'command')
    return [
      { step: 'login', says: 'ok', ageMs, doubt: null },
      { step, says, ageMs, doubt },
    ];
  return [
    { step: 'login', says, ageMs, doubt },
    { step: 'command', says: 'unknown', ageMs: null, doubt: 'no login' },
  ];
}

/** `banner ok, login ok, command has hung for 14 s`. */
export function stepsText(steps: readonly StepStatus[]): string {
  const [connect, ...rest] = steps;
  const told = connect?.says === 'ok' ? rest : steps;
  return told.flatMap((one) => stepText(one) ?? []).join(', ');
}

function stepText({ step, says, ageMs, doubt }: StepStatus): string | null {
  const because = doubt === null ? '' : ` (${doubt})`;
  if (says === 'unknown') return step === 'login' ? `login not known${because}` : null;
  if (says === 'hangs') return `${step} has hung for ${seconds(ageMs ?? 0)}`;
  const age = ageMs !== null && ageMs >= OLD_MS ? ` ${seconds(ageMs)} ago` : '';
  return `${step} ${says}${step === 'login' && says === 'ok' ? '' : age}${because}`;
}

/** What a guest is now, and the evidence for it from its console, its SSH, QEMU and the host, each with its age. */
import type { GuestSettings } from '../config/schema.js';
import { describeServer, serverRuns } from '../host/share-server.js';
import type { VerdictClass } from '../model.js';
import { WAYS } from '../ssh/ssh-config.js';
import type { Mono } from '../time.js';
import { counted, seconds } from '../words.js';
import { hangsSince } from './slices/command.js';
import { blindness, unreadText } from './slices/console.js';
import { hostSays, hostStarves } from './slices/host.js';
import { quietLimit } from './slices/quiet.js';
import { sshCanBeJudged } from './slices/ssh.js';
import { type TimedLook, vcpuShares } from './looks.js';
import { sshSteps, type StepStatus, stepsText } from './ssh-steps.js';
import type { GuestState } from './state.js';
import type { StateName } from './state-name.js';

/** A verdict's class, or what a guest is without one. */
export type GuestClass =
  VerdictClass | 'healthy' | 'booting' | 'emergency' | 'host-starved' | 'suspect' | 'gone' | 'blind';

export interface Evidence {
  side: 'console' | 'ssh' | 'qemu' | 'host';
  says: string;
  /** Milliseconds since it was seen; null where nothing was. */
  ageMs: number | null;
  /** Why it may not count, or null. */
  doubt: string | null;
}

export interface Assessment {
  class: GuestClass;
  reasons: string[];
  evidence: Evidence[];
}

const STALE_MS = 30_000;

export function assess(state: GuestState, settings: GuestSettings, at: Mono): Assessment {
  const named = nameOf(state, settings, at);
  const evidence = [
    ofConsole(state, settings, at),
    ofSsh(state, settings, at),
    ofQemu(state, at),
    ofHost(state, at),
  ];
  return { ...named, evidence };
}

/** States that are classes as well. */
const AS_NAMED: ReadonlySet<StateName> = new Set(['gone', 'paused', 'panicked', 'qemu-stuck']);
const SUSPECT: ReadonlySet<StateName> = new Set(['suspect', 'confirming', 'capturing']);

type Named = Pick<Assessment, 'class' | 'reasons'>;

function nameOf(state: GuestState, settings: GuestSettings, at: Mono): Named {
  const { name, why, ssh } = state;
  const { judged } = state.restraint;
  const lost = settings.ssh.enabled && ssh.failures >= settings.ssh.failures;
  const starved = lost ? hostStarves(state.host, at) : null;
  if (AS_NAMED.has(name)) return { class: name as GuestClass, reasons: why };
  if (name === 'held') return { class: judged?.class ?? 'unknown', reasons: why };
  if (starved !== null) return { class: 'host-starved', reasons: [starved, ...why] };
  if (SUSPECT.has(name)) return { class: 'suspect', reasons: why };
  const blind = blindness(state.console, at);
  if (blind !== null) return { class: 'blind', reasons: [unreadText(blind), ...why] };
  return ofCalm(state, settings, { at, lost });
}

/** Nobody suspects it. */
function ofCalm(
  state: GuestState,
  settings: GuestSettings,
  { at, lost }: { at: Mono; lost: boolean },
): Named {
  const { name, why, ssh } = state;
  const { judged } = state.restraint;
  if (name === 'unknown') return { class: 'unknown', reasons: why };
  if (ssh.lastOkAt === null) return ofBoot(state, settings, at);
  if (lost) return withoutSsh(state, at);
  const hangs = hangsSince(state);
  if (hangs === null) return { class: 'healthy', reasons: why };
  const looked = judged !== null && judged.at > hangs && judged.class !== 'none' ? judged.class : 'suspect';
  return { class: looked, reasons: [`ssh: ${stepsText(sshSteps(state, settings, at))}`, ...why] };
}

/** SSH has not answered in this boot. */
function ofBoot({ name, why, console, boot }: GuestState, settings: GuestSettings, at: Mono): Named {
  const { phase } = boot;
  if (console.gaveUp !== null)
    return { class: 'emergency', reasons: [`the console says: ${console.gaveUp}`] };
  if (console.awaiting !== null)
    return { class: 'userspace', reasons: [`systemd waits for ${console.awaiting}`, ...why] };
  if (!settings.ssh.enabled && name === 'up') return { class: 'healthy', reasons: why };
  return { class: 'booting', reasons: [`in ${phase.name} for ${seconds(at - phase.since)}`, ...why] };
}

/** SSH is lost, and the guest is not accused. */
function withoutSsh({ restraint, ssh, why, console }: GuestState, at: Mono): Named {
  const { judged } = restraint;
  const lostFor = `SSH lost ${seconds(at - (ssh.lastOkAt ?? at))} ago`;
  if (judged !== null && judged.at > (ssh.lastOkAt ?? at))
    return {
      class: judged.class,
      reasons: [lostFor, `${judged.title} (looked ${seconds(at - judged.at)} ago)`],
    };
  const news = `news on the console ${seconds(at - console.quietSince)} ago`;
  return { class: 'network-only', reasons: [lostFor, news, ...why] };
}

function ofConsole(state: GuestState, settings: GuestSettings, at: Mono): Evidence {
  const { lastProgress, awaiting, quietSince, test, heardAt } = state.console;
  const limit = quietLimit(
    state.ssh.lastOkAt === null ? state.boot.phase.name : 'up',
    state.qemu.learned,
    settings,
  );
  const parts = [
    `silent for ${seconds(at - quietSince)} of ${seconds(limit)} allowed`,
    ...(lastProgress === null ? [] : [`last news: ${lastProgress.text}`]),
    ...(awaiting === null ? [] : [`waits for ${awaiting}`]),
    ...(test === null ? [] : [`test ${test.name} began ${seconds(at - test.at)} ago`]),
  ];
  if (state.console.unread !== null)
    return { side: 'console', says: unreadText(state.console.unread), ageMs: null, doubt: 'not read' };
  const chatter = heardAt !== null && heardAt > quietSince + 1_000;
  return {
    side: 'console',
    says: parts.join('; '),
    ageMs: lastProgress === null ? null : at - lastProgress.at,
    doubt: chatter ? 'it repeats itself, which is no news' : null,
  };
}

function ofSsh(state: GuestState, settings: GuestSettings, at: Mono): Evidence {
  const { ssh } = state;
  const side = 'ssh' as const;
  if (!settings.ssh.enabled) return { side, says: 'is off for this guest', ageMs: null, doubt: 'not asked' };
  if (ssh.last === null) return { side, says: 'was not asked yet', ageMs: null, doubt: 'not asked' };
  const { kind, way } = ssh.last;
  const detail = way === undefined ? ssh.last.detail : `${ssh.last.detail}, ${WAYS[way]}`;
  const steps = sshSteps(state, settings, at);
  const before =
    ssh.lastOkAt === null
      ? 'it has not answered in this boot'
      : `it answered ${seconds(at - ssh.lastOkAt)} ago`;
  const failed = `${counted(ssh.failures, 'failure')} in a row, ${kind}: ${detail}; ${before}`;
  return {
    side,
    says: `${kind === 'ok' ? `answers: ${detail}` : failed}; ${stepsText(steps)}`,
    ageMs: at - (kind === 'ok' ? (ssh.lastOkAt ?? at) : (ssh.lastAt ?? ssh.lastStartedAt ?? at)),
    doubt: doubtOf(state, settings, steps),
  };
}

function doubtOf(state: GuestState, settings: GuestSettings, steps: readonly StepStatus[]): string | null {
  if (!sshCanBeJudged(state.ssh, settings)) return 'the host itself cannot probe';
  const { last } = state.command;
  const mayLogIn = settings.ssh.login && state.ssh.last?.way === undefined;
  if (mayLogIn && (last === null || last.kind === 'ok')) return null;
  const login = steps.find(({ step }) => step === 'login');
  return login?.says === 'ok' || login?.says === 'hangs' ? null : 'nothing is known beyond the banner';
}

function ofQemu(state: GuestState, at: Mono): Evidence {
  const looks = state.case?.looks.length ? state.case.looks : state.looks;
  const last = looks.at(-1);
  const side = 'qemu' as const;
  if (last === undefined) return { side, says: 'was not looked at', ageMs: null, doubt: 'not asked' };
  const ageMs = at - last.at;
  const doubt = ageMs > STALE_MS ? 'old' : null;
  if (!last.qmp.ok) return { side, says: last.qmp.detail, ageMs, doubt };
  const parts = [`run state ${last.qmp.runState}`, ...loadOf(looks)];
  for (const share of last.shares)
    if (!serverRuns(share)) parts.push(`share ${share.tag}: ${describeServer(share)}`);
  return { side, says: parts.join('; '), ageMs, doubt };
}

/** vCPUs and block devices between the two newest looks. */
function loadOf(looks: readonly TimedLook[]): string[] {
  const { vcpu, io } = load(looks);
  return [
    ...(vcpu === null ? [] : [`vCPUs ${vcpu.map((share) => `${share} %`).join(' ')}`]),
    ...(io === null ? [] : [`${io} block requests a second`]),
  ];
}

/** Percent of each vCPU, and requests a second, between the first of these looks and the last; null if unknown. */
export function load(looks: readonly TimedLook[]): { vcpu: number[] | null; io: number | null } {
  const shares = vcpuShares(looks).flatMap((share) => (share === null ? [] : [Math.round(100 * share)]));
  const counts = looks.flatMap(({ qmp, at }) =>
    qmp.ok && qmp.block !== null ? [{ at, count: qmp.block.reads + qmp.block.writes }] : [],
  );
  const [first, last] = [counts[0], counts.at(-1)];
  const io =
    first === undefined || last === undefined || last.at <= first.at
      ? null
      : Math.max(0, Math.round((1000 * (last.count - first.count)) / (last.at - first.at)));
  return { vcpu: shares.length === 0 ? null : shares, io };
}

function ofHost(state: GuestState, at: Mono): Evidence {
  const said = hostSays(state.host, at);
  if (said === null) return { side: 'host', says: 'was not looked at', ageMs: null, doubt: 'not asked' };
  return { side: 'host', ...said, doubt: said.ageMs > STALE_MS ? 'old' : null };
}

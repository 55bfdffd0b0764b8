/** What was found, in the forms of CI. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { FindKnown } from '../core/config/known.js';
import { printable } from '../core/printable.js';
import { CI_FORMS, type CiForm, detectForm, logText } from '../core/report/ci.js';
import { type Finding, incidentFinding, plainFinding, PROGRESS } from '../core/report/finding.js';
import type { GuestStatus } from '../core/watch/status.js';
import { pendingDirectory } from '../daemon/pending.js';
import { incidentsIn } from '../io/archive/directory.js';
import { readIncidentOf, readVerdict } from '../io/archive/read.js';
import { appendStepSummary, copyIncident, writeReportFolder } from '../io/ci-output.js';

/** What verbs are asked for. */
export interface CiOptions {
  ci?: string | undefined;
  artifacts?: string | undefined;
}

/** The form that was asked for, else that of the system that runs this; null for one that there is not. */
export function formOf(asked: string | undefined): CiForm | null {
  if (asked === undefined) return detectForm(process.env);
  return CI_FORMS.find((form) => form === asked) ?? null;
}

interface ReportOptions {
  form: CiForm;
  /** The folder that CI keeps; null for none. */
  folder: string | null;
  /** Root of the archive, and `$XDG_RUNTIME_DIR`: where incidents are. */
  state: string;
  runtime: string;
  findKnown: FindKnown;
  err: (text: string) => void;
}

/** Of all guests that a guard saw; the log goes to `err`. What cannot be written is told, and changes no verdict. */
export async function tellFindings(
  seen: readonly GuestStatus[],
  hung: readonly GuestStatus[],
  options: ReportOptions,
): Promise<void> {
  const { form, folder, err } = options;
  const findings: Finding[] = [];
  for (const guest of hung) {
    const directory = await directoryOf(guest, options);
    const finding = await findingOf(guest, directory, options.findKnown);
    err(logText(form, finding, { at: Math.floor(Date.now() / 1000), index: findings.length }));
    if (directory !== null) err(`wedgewatch: evidence: ${printable(directory, 400)}\n`);
    findings.push(finding);
    if (directory !== null && folder !== null)
      await tried(err, () => copyIncident(directory, guest.incident ?? '', folder));
  }
  const healthy = seen.filter(({ vm }) => !hung.some((guest) => guest.vm === vm));
  for (const { vm } of healthy) findings.push(plainFinding(vm, 'passed', 'none', 'no hang was found'));
  await writeFindings(findings, options);
}

/** Writes the folder, if there is one to write, and on GitHub the summary. */
export async function writeFindings(
  findings: readonly Finding[],
  { form, folder, err }: Pick<ReportOptions, 'form' | 'folder' | 'err'>,
): Promise<void> {
  if (folder !== null) await tried(err, () => writeReportFolder(folder, findings, new Date().toISOString()));
  if (form === 'github') await tried(err, () => appendStepSummary(findings));
}

async function tried(err: ReportOptions['err'], write: () => Promise<void>): Promise<void> {
  await write().catch((error: unknown) => err(`wedgewatch: ${printable(String(error), 400)}\n`));
}

/** Of the incident: in the archive, or where it waits for that. */
async function directoryOf(
  { incident }: GuestStatus,
  { state, runtime }: ReportOptions,
): Promise<string | null> {
  if (incident === null) return null;
  for (const root of [state, pendingDirectory(runtime)]) {
    const directory = join(incidentsIn(root), incident);
    const there = await access(directory).then(
      () => true,
      () => false,
    );
    if (there) return directory;
  }
  return null;
}

async function findingOf(
  guest: GuestStatus,
  directory: string | null,
  findKnown: FindKnown,
): Promise<Finding> {
  const read = directory === null ? null : await readIncidentOf(directory);
  if (read?.ok === true) {
    const { incident } = read;
    const finding = incidentFinding(incident, findKnown({ ...incident, verdict: incident.verdict.title }));
    // Whatever its dumps show, its job was ended for it.
    return finding.result === 'passed' ? { ...finding, result: 'failed' } : finding;
  }
  const verdict = directory === null ? null : await readVerdict(directory);
  const title = verdict?.split('\n')[0] ?? `${guest.state}: ${guest.why.join('; ')}`;
  return { ...plainFinding(guest.vm, 'failed', 'unknown', title), test: guest.test?.name ?? PROGRESS };
}

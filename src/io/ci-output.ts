/** Where CI looks for findings: the folder that it keeps, and GitHub's summary of a step. */
import { constants, type Dirent } from 'node:fs';
import { appendFile, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { summaryText } from '../core/report/ci.js';
import type { Finding } from '../core/report/finding.js';
import { parseIncidentName } from '../core/report/incident.js';
import { junitReport } from '../core/report/junit.js';
import { MEMORY_FILE } from '../core/report/text.js';
import { makeDirectory } from './files.js';

const JUNIT = 'junit.xml';
const SUMMARY = 'summary.md';

/** Makes the folder, and removes what an earlier run left in it: nobody shall take that for the news of this one. */
export async function emptyReportFolder(folder: string): Promise<void> {
  await makeDirectory(folder);
  const ours = ({ name }: Dirent) => name === JUNIT || name === SUMMARY || parseIncidentName(name) !== null;
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.filter(ours)) await rm(join(folder, entry.name), { recursive: true });
}

/** Writes the report, and the summary where there is something to tell. `at`: ISO, UTC. */
export async function writeReportFolder(
  folder: string,
  findings: readonly Finding[],
  at: string,
): Promise<void> {
  await writeFile(join(folder, JUNIT), junitReport(findings, at));
  const summary = summaryText(findings);
  if (summary !== null) await writeFile(join(folder, SUMMARY), summary);
}

/**
 * Copies the files of an incident, private to this user as they are. The guest's whole memory stays where it is: it may
 * hold secrets, and gigabytes.
 */
export async function copyIncident(directory: string, name: string, folder: string): Promise<void> {
  const to = join(folder, name);
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isFile() || entry.name === MEMORY_FILE) continue;
    await copyFile(join(directory, entry.name), join(to, entry.name), constants.COPYFILE_FICLONE);
  }
}

/** Appends to the summary of this step on GitHub, where there is one. */
export async function appendStepSummary(
  findings: readonly Finding[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const path = env['GITHUB_STEP_SUMMARY'] ?? '';
  const summary = summaryText(findings);
  if (path !== '' && summary !== null) await appendFile(path, summary);
}

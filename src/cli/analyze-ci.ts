/** The verdicts of `analyze` in the forms of CI. */
import { type CiForm, logText } from '../core/report/ci.js';
import { analysisFinding, type Finding, plainFinding } from '../core/report/finding.js';
import { emptyReportFolder } from '../io/ci-output.js';
import type { ReadLog } from '../io/console-log.js';
import { writeFindings } from './ci-report.js';

export const NO_DUMP = 'no SysRq dump and no kernel complaint found';

export interface Writer {
  found: (file: string, log: ReadLog) => void;
  nothing: (file: string) => void;
  /** Standard error has it already. */
  unread: (file: string, why: string) => void;
  end: () => Promise<void> | void;
}

interface Wanted {
  form: CiForm;
  json: boolean;
  folder: string | null;
}

/** Writes in the form of that system, and as `plain` does where there is none, or where a program reads it. */
export function ciWriter(
  plain: Writer,
  { form, json, folder }: Wanted,
  { out, err }: { out: (text: string) => void; err: (text: string) => void },
): Writer {
  const findings: Finding[] = [];
  const tell = (finding: Finding, say: (text: string) => void): void => {
    say(logText(form, finding, { at: Math.floor(Date.now() / 1000), index: findings.length }));
  };
  const note = (finding: Finding, write: () => void): void => {
    if (form === 'plain') write();
    else if (!json) tell(finding, out);
    else {
      write();
      if (finding.result !== 'passed') tell({ ...finding, text: '' }, err);
    }
    findings.push(finding);
  };
  return {
    found: (file, log) => note(analysisFinding(file, log.analysis), () => plain.found(file, log)),
    nothing: (file) => note(plainFinding(file, 'passed', 'none', NO_DUMP), () => plain.nothing(file)),
    unread: (file, why) => {
      const finding = plainFinding(file, 'unseen', 'unreadable', `${file} cannot be read: ${why}`);
      findings.push(finding);
      if (form === 'github') tell(finding, err);
    },
    end: async () => {
      await plain.end();
      if (folder !== null)
        await emptyReportFolder(folder).catch((error: unknown) => err(`wedgewatch: ${String(error)}\n`));
      await writeFindings(findings, { form, folder, err });
    },
  };
}

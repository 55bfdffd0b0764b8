/** `export ID`: an incident for CI, an issue, a mail, another machine or speedscope. */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { FindKnown, Known } from '../core/config/known.js';
import { printable } from '../core/printable.js';
import { githubIssue, mailText } from '../core/report/export-text.js';
import { incidentFinding } from '../core/report/finding.js';
import type { Incident } from '../core/report/incident.js';
import { incidentJson, safeJson } from '../core/report/json.js';
import { junitReport } from '../core/report/junit.js';
import { speedscope } from '../core/report/speedscope.js';
import { errorCode } from '../io/archive/directory.js';
import { tarTo } from '../io/tar.js';
import { findEvidence, NotFound } from './find-evidence.js';
import { EXIT } from './globals.js';
import type { Terminal } from './print.js';

const FORMATS = ['github', 'junit', 'mail', 'speedscope', 'json'] as const;
type Format = (typeof FORMATS)[number];

type ExportOptions = { [Name in Format | 'tar']?: boolean | undefined } & { output?: string | undefined };

/**
 * Writes one form of an incident. `binary` takes the archive, `findKnown` says what is known of it. Returns 0, 2 for no or several forms or an ambiguous
 * id, 3 if there is none, 5 if it cannot be read or written.
 */
export async function exportIncident(
  root: string,
  wanted: string | undefined,
  options: ExportOptions,
  terminal: Terminal,
  binary: Writable,
  findKnown: FindKnown = () => null,
): Promise<number> {
  const fail = (why: string, code: number): number => {
    terminal.err(`wedgewatch: ${why}\n`);
    return code;
  };
  const asked = ([...FORMATS, 'tar'] as const).filter((name) => options[name] === true);
  const [form] = asked;
  if (form === undefined || asked.length > 1)
    return fail('say one of --github --junit --mail --tar --speedscope --json', EXIT.usage);
  if (form === 'tar' && options.output === undefined && terminal.columns !== null)
    return fail('--tar is no text for a terminal; add -o FILE.tar.gz', EXIT.usage);
  try {
    const { incident, directory, name } = await findEvidence(root, wanted);
    if (incident === null || directory === null)
      return fail(`${name} is a console log; export takes an incident`, EXIT.usage);
    const known = findKnown({ ...incident, verdict: incident.verdict.title });
    if (form === 'tar') {
      const { output } = options;
      await tarTo(directory, output === undefined ? binary : createWriteStream(output, { mode: 0o600 }));
    } else if (options.output === undefined) terminal.out(TEXTS[form](incident, known));
    else await writeFile(options.output, TEXTS[form](incident, known), { mode: 0o600 });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof NotFound) return fail(error.message, error.code);
    // The reader of the tar closed its end.
    if (errorCode(error) === 'EPIPE') return EXIT.ok;
    return fail(printable(error instanceof Error ? error.message : String(error), 400), EXIT.environment);
  }
}

const TEXTS: Readonly<Record<Format, (incident: Incident, known: Known | null) => string>> = {
  github: githubIssue,
  junit: (incident, known) => junitReport([incidentFinding(incident, known)], incident.startedAt),
  mail: mailText,
  speedscope: ({ id, dumps, version }) => `${safeJson(speedscope(id, dumps, version))}\n`,
  json: incidentJson,
};

/**
 * What loggers put in front of a kernel line: `[   12.345678] `, a caller `[  T12] `, syslog, ISO and `dmesg -T` dates.
 */
const DATE =
  /^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\s]{0,16}) +(?:(?:\S{1,128} )?(?:kernel|[\w@.\\-]{1,128}\[\d+\]): ?)?/;
const DMESG_T = /^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\] /;
const PRINTK = /^(?:<\d+>)?\[ *(\d+\.\d*)\](?:\[ *[TC]\d+\])? ?/;
/** A kernel line glued behind another writer's text: only the full form, so that prose is not cut. */
const GLUED = /\[ *(\d+\.\d{6})\](?:\[ *[TC]\d+\])? /;

interface Stripped {
  text: string;
  /** Printk time in seconds since the kernel started, where the line has one. */
  seconds: number | null;
}

/** Takes all known prefixes off a console line, and any other writer's text in front of them. */
export function stripPrefix(line: string): Stripped {
  let text = line.trim();
  if (!text.startsWith('[')) text = text.replace(DATE, '').trimStart();
  text = text.replace(DMESG_T, '');
  const own = PRINTK.exec(text);
  if (own) return { text: text.slice(own[0].length).trim(), seconds: Number(own[1]) };
  const glued = text.includes('[') ? GLUED.exec(text) : null;
  if (glued) return { text: text.slice(glued.index + glued[0].length).trim(), seconds: Number(glued[1]) };
  return { text, seconds: null };
}

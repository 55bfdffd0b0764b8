/** When a line of a log was printed: by the date that a logger put in front, else by the kernel's own clock. */
import { stripPrintk } from './printk.js';

const ISO = /^\[?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))? ?(Z|UTC|[+-]\d\d:?\d\d)?\]?:? /;
const SYSLOG = /^([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? /;
/** `host qemu-system@vm[12]: ` */
const TAG = /^(?:\S{1,128} )?(?:kernel:|[\w@.\\-]{1,128}\[\d{1,10}\]:) ?/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** The clock of a kernel that goes back so far is another kernel's. */
const NEW_BOOT_MS = 1_000;

/** Reads the lines of one log in their order. Times never go back; a line without one has that of the line before. */
export class Stamps {
  /** By the wall clock, or else milliseconds since the first boot in the log. */
  wall = false;
  private last: number | null = null;
  /** Of the kernel that prints now, on the scale of the log. */
  private bootAt = 0;

  /** `year`: for dates that lack it. */
  constructor(private readonly year: number) {}

  /** The time, and the line as the console printed it. Null time: nothing told one yet. */
  read(line: string): { at: number | null; text: string } {
    const dated = this.dated(line);
    if (dated !== null) {
      this.wall = true;
      this.last = Math.max(this.last ?? -Infinity, dated.at);
      return { at: this.last, text: dated.text };
    }
    const { time } = stripPrintk(line);
    if (!this.wall && time !== null) {
      const last = this.last ?? 0;
      if (this.bootAt + time * 1000 < last - NEW_BOOT_MS) this.bootAt = last - time * 1000;
      this.last = Math.max(last, this.bootAt + time * 1000);
    }
    return { at: this.last, text: line };
  }

  private dated(line: string): { at: number; text: string } | null {
    const iso = ISO.exec(line);
    const syslog = iso === null ? SYSLOG.exec(line) : null;
    const found = iso ?? syslog;
    if (found === null) return null;
    const at = iso === null ? this.ofSyslog(found) : ofIso(found);
    return Number.isNaN(at) ? null : { at, text: line.slice(found[0].length).replace(TAG, '') };
  }

  private ofSyslog([, month = '', day = '', time = '', fraction = '0']: RegExpExecArray): number {
    const index = MONTHS.indexOf(month) + 1;
    const date = `${this.year}-${String(index).padStart(2, '0')}-${day.trim().padStart(2, '0')}`;
    return Date.parse(`${date}T${time}.${fraction.slice(0, 3)}`);
  }
}

/** Without a zone it is this machine's. */
function ofIso([, date = '', time = '', fraction = '0', zone = '']: RegExpExecArray): number {
  const offset = zone === 'UTC' ? 'Z' : zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  return Date.parse(`${date}T${time}.${fraction.slice(0, 3)}${offset}`);
}

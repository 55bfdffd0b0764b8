/** The part of report.html that is there to be sent on. */
import { printable } from '../printable.js';
import { mailText } from './export-text.js';
import type { Incident } from './incident.js';
import { Section } from './html-parts.js';

const SUBJECT_MAX = 160;
/** Of what is encoded: longer links are refused on the way to some mail programs. */
const BODY_MAX = 1_600;

/** Selecting it and copying needs no script; the link begins a mail with as much as a link can hold. */
export function Mail({ incident }: { incident: Incident }) {
  const text = mailText(incident);
  return (
    <Section id="mail" title="Send it on" shown>
      <p>
        <a href={mailLink(incident, text)}>Begin a mail with the verdict</a>, or copy the whole text: go into
        the box, select all of it (Ctrl+A), copy (Ctrl+C). <code>wedgewatch export --mail</code> prints the
        same.
      </p>
      <textarea readOnly rows={14} spellcheck={false} aria-label="The incident as a mail">
        {text}
      </textarea>
    </Section>
  );
}

function mailLink({ vm, verdict }: Incident, text: string): string {
  const subject = encodeURIComponent(wellFormed(printable(`[${vm}] ${verdict.title}`, SUBJECT_MAX)));
  const lines: string[] = [];
  let length = 0;
  for (const line of wellFormed(text).split('\n')) {
    const encoded = `${encodeURIComponent(line)}%0D%0A`;
    length += encoded.length;
    if (length > BODY_MAX) break;
    lines.push(encoded);
  }
  return `mailto:?subject=${subject}&body=${lines.join('')}`;
}

/** A cut may have halved a pair, which cannot be encoded. */
const wellFormed = (text: string): string => text.replace(/\p{Cs}/gu, ' ');

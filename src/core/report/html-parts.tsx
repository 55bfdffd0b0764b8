/** What the sections of report.html are made of. */
import type { ComponentChildren } from 'preact';
import { printable } from '../printable.js';
import { type Found, namedIn, type Places } from './dump-anchors.js';
import { POLICY } from './html-policy.js';
import { SCRIPT } from './html-script.js';

const SENTENCE_MAX = 600;
export const ROWS_SHOWN = 100;

export const safe = (text: string): string => printable(text, SENTENCE_MAX);

/** `2026-09-18 10:15:02.250`; the page's first line says that it is UTC. */
export const readable = (iso: string): string => iso.replace('T', ' ').replace(/(?:\.000)?Z$/, '');

/** The head of a page that needs no network, and runs no script but its own. */
export const PageHead = ({ title, style }: { title: string; style: string }) => (
  <head>
    <meta charSet="utf-8" />
    <meta http-equiv="Content-Security-Policy" content={POLICY} />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="referrer" content="no-referrer" />
    <title>{title}</title>
    <style dangerouslySetInnerHTML={{ __html: style }} />
  </head>
);

/** The end of its body. */
export const PageScript = () => <script dangerouslySetInnerHTML={{ __html: SCRIPT }} />;

export function Section(props: { id: string; title: string; shown: boolean; children: ComponentChildren }) {
  if (!props.shown) return null;
  return (
    <section id={props.id}>
      <h2>{props.title}</h2>
      {props.children}
    </section>
  );
}

export function Table({ head, children }: { head: readonly string[]; children: ComponentChildren }) {
  return (
    <div class="scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((name) => (
              <th scope="col">{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

interface BulletsProps {
  sentences: readonly string[];
  /** Where the tasks stand that they name. */
  places?: Places;
  /** Whom a sentence is about that names nobody. */
  about?: number | null;
}

export function Bullets({ sentences, places = new Map(), about = null }: BulletsProps) {
  const rest = sentences.length - ROWS_SHOWN;
  return (
    <ul>
      {sentences.slice(0, ROWS_SHOWN).map((sentence) => (
        <li>
          <Sentence sentence={sentence} places={places} about={about} />
        </li>
      ))}
      {rest > 0 && <li class="soft">and {rest} more in incident.json</li>}
    </ul>
  );
}

/**
 * What it names is a link where it stands; of the only task that it is about each dump is. Guest text may look like a
 * task, but a link leads nowhere but into this page.
 */
function Sentence({
  sentence,
  places,
  about,
}: { sentence: string } & Required<Omit<BulletsProps, 'sentences'>>) {
  const named = namedIn(sentence, places, about);
  const [one] = named;
  const shown = safe(sentence);
  if (one === undefined) return <>{shown}</>;
  if (named.length === 1) {
    return (
      <>
        {shown} <InDumps pid={one[0]} found={one[1]} />
      </>
    );
  }
  const links = new Map(named.map(([pid, found]) => [nameOf(pid, found), found.places[0]?.id ?? '']));
  return (
    <>
      {splitAt(shown, [...links.keys()]).map((part) => {
        const id = links.get(part);
        return id === undefined ? part : <a href={`#${id}`}>{part}</a>;
      })}
    </>
  );
}

const nameOf = (pid: number, { comm }: Found): string => `${printable(comm, 16)}:${pid}`;

/** The text in pieces, each of the names a piece of its own; `ash:17` is no part of `ash:173`. */
function splitAt(text: string, names: readonly string[]): string[] {
  const pieces: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const name = names.find(
      (one) => text.startsWith(one, at) && !/^\d/.test(text.slice(at + one.length, at + one.length + 1)),
    );
    if (name === undefined) continue;
    pieces.push(text.slice(from, at), name);
    from = at + name.length;
    at = from - 1;
  }
  return [...pieces, text.slice(from)];
}

/** A link to each dump that shows a task. */
export function InDumps({ pid, found }: { pid: number; found: Found }) {
  return (
    <span class="see">
      {found.places.map(({ dump, id }) => [
        <a href={`#${id}`} aria-label={`${nameOf(pid, found)} in ${dump}`}>
          {dump}
        </a>,
        ' ',
      ])}
    </span>
  );
}

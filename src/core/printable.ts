/**
 * What could make a terminal, a viewer of JSON or a browser lie: C0 and C1 controls with escape sequences, marks that
 * reorder or hide text (Unicode's Cf and Default_Ignorable_Code_Point: bidi controls, zero-width ones, tags, variation
 * selectors, fillers), line and paragraph separators, halves of surrogate pairs, and the two noncharacters that XML
 * forbids. The one table of them, for terminal, log, JSON, HTML and exports.
 */
const UNSAFE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{fff0}-\u{fff8}\u{fffe}\u{ffff}]/gu;

/** Almost every line is plain ASCII, and to ask properties of each character is slow. */
const SUSPECT = /[^ -~]/;

/** The text with each unsafe character replaced; a character beyond U+FFFF comes as the pair that it is. */
export function replaceUnsafe(text: string, by: (mark: string) => string): string {
  return SUSPECT.test(text) ? text.replace(UNSAFE, by) : text;
}

/**
 * Guest text made fit for one line of a terminal: no control characters, at most `max` characters. Tabs are the one
 * control a log legitimately holds; they become a blank like the others.
 */
export function printable(text: string, max: number): string {
  const cut = text.length > max ? `${text.slice(0, max - 1)}…` : text;
  return replaceUnsafe(cut, () => ' ');
}

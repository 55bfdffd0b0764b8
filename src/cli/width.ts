/** How many columns of a terminal a text takes: what people see as one character may take two, or be several in memory. */

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * East Asian scripts, fullwidth forms and pictures (Unicode's East_Asian_Width W and F, by the properties that regular
 * expressions know); the halfwidth forms of Hangul and Katakana are not among them.
 */
const WIDE =
  /^(?![\uff61-\uffdc])[\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Bopomofo}\p{sc=Yi}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\ufe0f/u;
/** Marks without a letter to stand on. */
const NONE = /^\p{M}+$/u;

const widthOf = (character: string): number => (NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1);

/** ASCII, Latin letters, dashes, arrows and signs of mathematics: one column each, and none joins another. */
const PLAIN = /^[ -~\u00a1-\u00ac\u00ae-\u024f\u2010-\u2027\u2190-\u21ff\u2200-\u22ff]*$/;

export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of characters.segment(text)) width += widthOf(segment);
  return width;
}

/** The text, or as much of it as stands on so many columns with an ellipsis behind it. */
export function cutTo(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of characters.segment(text)) {
    width += widthOf(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

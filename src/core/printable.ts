/**
 * C0 and C1 controls, and the Unicode marks that reorder or hide text: all of them could make a terminal lie. The one
 * list of them, for `replace`.
 */
export const UNSAFE = new RegExp(
  String.raw`[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]`,
  'g',
);

/**
 * Guest text made fit for one line of a terminal: no control characters, at most `max` characters. Tabs are the one
 * control a log legitimately holds; they become a blank like the others.
 */
export function printable(text: string, max: number): string {
  const cut = text.length > max ? `${text.slice(0, max - 1)}…` : text;
  return cut.replace(UNSAFE, ' ');
}

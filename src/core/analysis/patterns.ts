/** Names as regular expressions. */

/** One for any of these whole names. */
export const whole = (names: readonly string[]): RegExp => new RegExp(`^(?:${names.join('|')})$`);

/** One for any name that begins so. */
export const beginning = (prefixes: readonly string[]): RegExp => new RegExp(`^(?:${prefixes.join('|')})`);

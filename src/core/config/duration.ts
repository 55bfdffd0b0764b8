const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;
const SIZES = new Map<string, number>([...UNITS, ['sec', 1000]]);

/** What a duration looks like. Editors get it as the pattern of the JSON Schema. */
export const DURATION_SHAPE = /^\d+(\.\d+)?\s*(ms|s|sec|min|h|d)(\s*\d+(\.\d+)?\s*(ms|s|sec|min|h|d))*$/;

const EXPECTED = 'expected a duration such as 500ms, 3s, 2min or 1h 30min';

const PART = /(\d+(?:\.\d+)?)\s*([a-z]+)/g;

/**
 * A duration such as `3s`, `500ms` or `1h 30min`, in whole milliseconds. Bare numbers and trailing words are refused;
 * so is `m`, which could be minutes or months.
 */
export function durationMs(text: string): number | { problem: string } {
  const value = text.trim();
  const parts = DURATION_SHAPE.test(value) ? [...value.matchAll(PART)] : [];
  const ms = Math.round(
    parts.reduce((sum, [, n, unit = '']) => sum + Number(n) * (SIZES.get(unit) ?? NaN), 0),
  );
  return parts.length > 0 && Number.isSafeInteger(ms) ? ms : { problem: durationProblem(value) };
}

/** The inverse of `durationMs`: 5400000 is `1h 30min`. */
export function formatDuration(ms: number): string {
  const parts: string[] = [];
  let rest = Math.round(ms);
  for (const [unit, size] of UNITS) {
    if (rest >= size) parts.push(`${Math.floor(rest / size)}${unit}`);
    rest %= size;
  }
  return parts.join(' ') || '0s';
}

/** What was expected instead of this text, with what a bare number or another program's unit most likely meant. */
export function durationProblem(value: string): string {
  const bare = /^\d+(\.\d+)?$/.test(value) ? `; write ${value}s for seconds` : '';
  const minutes = /^(\d+)\s*m$/.exec(value)?.[1];
  return `${EXPECTED}${bare}${minutes === undefined ? '' : `; write ${minutes}min for minutes`}`;
}

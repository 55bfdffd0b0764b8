/** Sizes as people write them: whole numbers of binary units. */
const UNITS = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

/** What a size looks like. Editors get it as the pattern of the JSON Schema. */
export const SIZE_SHAPE = /^(\d{1,6}) ?([KMGT]iB)$/;
export const SIZE_EXPECTED = 'expected a size such as 500MiB or 10GiB';

/** A size such as `500MiB` in bytes, or null. */
export function sizeBytes(text: string): number | null {
  const [, count, name] = SIZE_SHAPE.exec(text.trim()) ?? [];
  const unit = UNITS.find(([known]) => known === name)?.[1];
  return unit === undefined ? null : Number(count) * unit;
}

/** The inverse of `sizeBytes`, for its values. */
export function writtenSize(bytes: number): string {
  const [name, unit] = UNITS.find(([, size]) => bytes % size === 0) ?? ['KiB', 2 ** 10];
  return `${Math.round(bytes / unit)}${name}`;
}

/** For people: `1.4 MiB`, `12 KiB`. */
export function roundSize(bytes: number): string {
  const [name, unit] = UNITS.find(([, size]) => bytes >= size) ?? ['KiB', 2 ** 10];
  const value = bytes / unit;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${name}`;
}

/** One of avg10 of a /proc/pressure file, in percent (Documentation/accounting/psi.rst); null where it is not there. */
export function avg10(text: string | null, line: 'some' | 'full'): number | null {
  const found = new RegExp(`^${line} avg10=(\\d{1,3}\\.\\d{1,2}) `, 'm').exec(text ?? '')?.[1];
  return found === undefined ? null : Number(found);
}

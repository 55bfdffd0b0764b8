/** A fault of one line, and the test that sees it. */
export interface Fault {
  /** Path of the test file, and a title in it: of the test, or of the suite around it, as it is written there. */
  test: string;
  name: string;
  /** A part of the test's full name where only one case of a table is meant. */
  only?: string;
  /** In this file of the project `from`, which stands there once, becomes `to`. */
  file: string;
  from: string;
  to: string;
}

export interface Row {
  id: string;
  fault: string;
  /** What must happen. */
  must: string;
  shown: Fault[];
}

export const ROWS: Row[];
export function projectOf(test: string): 'pure' | 'host' | 'world';
export function patternOf(fault: Pick<Fault, 'name' | 'only'>): string;

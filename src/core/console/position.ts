/** Where in its source a console was read up to: the rows that follow can be read again from there. */
export type ConsolePosition =
  /** `cursor` is empty where nothing was read yet: then by the time, wall clock in milliseconds. */
  | { kind: 'journal'; cursor: string; realtimeMs: number }
  /** Device and inode tell the file from a later one of its name. */
  | { kind: 'file'; path: string; dev: number; ino: number; offset: number };

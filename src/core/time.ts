/**
 * Milliseconds on the host's CLOCK_MONOTONIC. journald stamps entries with the same clock, so that a line's
 * own age survives a catch-up, and a step of the wall clock moves no window.
 */
export type Mono = number;

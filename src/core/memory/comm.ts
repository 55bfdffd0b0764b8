import { printable } from '../printable.js';
import type { MemoryTask } from './model.js';

/** TASK_COMM_LEN is 16, and its last byte a zero. */
const COMM_MAX = 15;

/** A task's name, fit to be shown; one of blanks is shown as `?`. */
export const commOf = ({ comm }: Pick<MemoryTask, 'comm'>): string =>
  printable(comm.slice(0, COMM_MAX), COMM_MAX).trim() || '?';

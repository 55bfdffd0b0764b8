import type { Frame, Task } from '../model.js';
import { backendOf, requestedBy } from './backends.js';
import { firmFrames, firmSymbols, operationFrame } from './frames.js';
import { baseSymbol, isHelper, layerOf } from './layers.js';
import { perStack } from './per-stack.js';
import { subjectOf, subjectOfSymbol } from './subjects.js';
import { waitOf } from './wait-kinds.js';

const EXEC =
  /^(?:bprm_execve|do_execveat?_common|load_elf_binary|load_script|begin_new_exec|search_binary_handler|exec_binprm|elf_read|do_open_execat)$/;

/** What a stuck task does or waits for, in words: the middle of the title; with the code's own helper around the sleep, if any. */
export function whatOf(task: Pick<Task, 'frames'>, helper: 'with its helper' | null = null): string {
  const operation = operationFrame(task.frames);
  if (!operation) return 'no stack';
  const names = firmSymbols(task.frames);
  const exec = names.some((name) => EXEC.test(name));
  const backend = backendOf(task.frames);
  if (backend) {
    const by = requestedBy(task.frames, backend);
    return by === null || by === baseSymbol(operation.symbol)
      ? backend.request
      : `${backend.request} of ${by}`;
  }
  const name = baseSymbol(operation.symbol);
  if (/^(?:filemap_|generic_file_buffered_read|do_read_cache_)/.test(name)) return reading(name, exec);
  const wait = waitOf(task);
  if (wait === null) {
    if (layerOf(operation.symbol) === 'primitive') return 'its stack is cut off';
    const helper = helperIn(task.frames, operation);
    return helper === null ? 'a wait' : `a wait in ${helper}`;
  }
  const what = wait.kind === 'poll-loop' ? wait.what : `waiting for ${wait.what}`;
  const inside = helper === null ? null : helperIn(task.frames, operation);
  return inside === null ? what : `${what} in ${inside}`;
}

/** A helper around the sleep that is of the same module tells what is awaited there. */
function helperIn(frames: readonly Frame[], { symbol, module }: Frame): string | null {
  const firm = firmFrames(frames);
  const inside = firm[firm.findIndex((one) => one.symbol === symbol) - 1];
  if (inside && SAYS_WHAT.test(baseSymbol(inside.symbol))) return baseSymbol(inside.symbol);
  if (!inside || inside.module !== module || !isHelper(inside.symbol)) return null;
  const subject = subjectOfSymbol(inside.symbol);
  const known =
    module !== null ||
    baseSymbol(inside.symbol).split('_')[0] === baseSymbol(symbol).split('_')[0] ||
    (subject !== null && subject.layer !== 'block' && subject.name === subjectOf(frames)?.name);
  return known ? baseSymbol(inside.symbol) : null;
}

/** Carriers that still tell what the sleep is for. */
const SAYS_WHAT = /^usb_(?:kill|poison)_urb$/;

function reading(name: string, exec: boolean): string {
  if (exec) return "reading its binary's pages";
  return name === 'filemap_fault' ? 'page-in of a mapped file' : "reading a file's pages";
}

/** The many functions that wait for a grace period, plain, expedited or of SRCU: one place, as reports name it. */
const GRACE_PERIOD = /^_*synchronize_(?:s?rcu|net|sched)/;

/** The name of the place, as it stands in `frame`: without compiler suffixes. Null for an empty stack. */
export const frameName = perStack((frames): string | null => {
  const operation = operationFrame(frames);
  if (operation === null) return null;
  return GRACE_PERIOD.test(operation.symbol) ? 'synchronize_rcu' : baseSymbol(operation.symbol);
});

/** Which part of the kernel a function is of, where no record names it: its module, and the first word of its name. */
import type { Frame } from '../model.js';
import { baseSymbol } from './layers.js';

/** Such parts of one function; none where its name is anybody's. */
export function codesOf({ symbol, module }: Pick<Frame, 'symbol' | 'module'>): string[] {
  const word = /^_*([a-z][a-z0-9]{2,})_/.exec(baseSymbol(symbol))?.[1];
  return [
    ...(word === undefined || SERVES_ALL.test(word) ? [] : [`${word}_`]),
    ...(module === null ? [] : [module]),
  ];
}

const SERVES_ALL =
  /^(?:add|alloc|bus|call|compat|default|dev|device|driver|exit|file|fop|free|generic|get|handle|init|ioctl|iter|kernel|kernfs|kobject|ksys|lookup|new|notifier|notify|open|path|platform|proc|process|put|read|register|release|remove|schedule|seq|set|start|stop|sync|sys|sysfs|task|unregister|user|vfs|wait|work|write)$/;

/** Whether two functions are of one part. */
export const isOneCode = (one: readonly string[], other: readonly string[]): boolean =>
  one.some((code) => other.includes(code));

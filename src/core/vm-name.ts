import { printable } from './printable.js';

/** Why a name cannot be a VM's, or null. It becomes part of paths, of unit names and of command lines. */
export function vmNameProblem(name: string): string | null {
  if (name === '') return 'expected a name';
  if (name.length > 200) return 'expected at most 200 characters: the name becomes part of file names';
  if (name === '.' || name === '..' || name.includes('/')) {
    return 'expected a name without /: it becomes part of paths';
  }
  if (name.startsWith('-')) return 'expected a name without a leading dash: commands would read an option';
  if (/\s/.test(name) || printable(name, Infinity) !== name) {
    return 'expected a name without blanks and control characters';
  }
  return null;
}

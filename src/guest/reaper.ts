import { spawn } from 'node:child_process';

/** What is left to undo: a process group to kill, a user unit to kill, a directory to remove. */
type Leftover = 'group' | 'unit' | 'directory';

// Reads the list of leftovers from standard input, and cleans them up if that ends without a farewell:
// the process on the other side is gone then, for whatever reason, SIGKILL included.
const script = `
trap '' HUP INT TERM
groups= units= directories=
while read -r kind value; do
  case $kind in
    group) groups="$groups -$value" ;;
    unit) units="$units $value" ;;
    directory) directories="$directories $value" ;;
    *) exit 0 ;;
  esac
done
for group in $groups; do kill -s KILL -- "$group"; done
for unit in $units; do systemctl --user kill --signal=KILL "$unit"; done
for directory in $directories; do rm -rf -- "$directory"; done
`;

/** A helper process that cleans up after this one if it dies before `release`. */
export class Reaper {
  readonly #child = spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });

  constructor() {
    // Its pipe breaks if someone kills the helper; there is nobody else to tell.
    this.#child.stdin.on('error', () => undefined);
    this.#child.unref();
  }

  /** @param value a process group's id, a unit's name, or a path without blanks */
  add(kind: Leftover, value: string): void {
    this.#child.stdin.write(`${kind} ${value}\n`);
  }

  /** Everything is cleaned up already: the helper ends and touches nothing. */
  release(): void {
    this.#child.stdin.end('released\n');
  }
}

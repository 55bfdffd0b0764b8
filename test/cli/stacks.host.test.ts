import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const log = fileURLToPath(new URL('../golden/inode-lock.log', import.meta.url));
const stacks = (...words: string[]) =>
  spawnSync(process.execPath, [main, 'stacks', log, ...words], { encoding: 'utf8', timeout: 30_000 });

describe('stacks, as it is typed', () => {
  it('takes -c for a function, as its help says', () => {
    const { status, stdout } = stacks('-c', 'fuse_*', '--json');
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as { comms: string[] }[]).map(({ comms }) => comms)).toEqual([['init']]);
  }, 60_000);

  it('watches nothing but a running guest', () => {
    const { status, stderr } = stacks('--watch');
    expect(stderr).toBe('wedgewatch: --watch is for a running guest, by its name\n');
    expect(status).toBe(2);
  }, 60_000);
});

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const log = fileURLToPath(new URL('../golden/inode-lock.log', import.meta.url));

it('stacks takes -c for a function, as its help says', () => {
  const out = execFileSync(process.execPath, [main, 'stacks', log, '-c', 'fuse_*', '--json'], {
    encoding: 'utf8',
  });
  expect((JSON.parse(out) as { comms: string[] }[]).map(({ comms }) => comms)).toEqual([['init']]);
}, 60_000);

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';

/** An ssh for the option `ssh`: see the file itself. */
export const ssh = join(import.meta.dirname, '../fixtures/fake-ssh.mjs');

/** What it does until the test is over, from the home directory: its environment is what ssh gets. */
export function behave(behaviour: object): void {
  const home = mkdtempSync(join(tmpdir(), 'wedgewatch-ssh-'));
  writeFileSync(join(home, 'fake-ssh.json'), JSON.stringify(behaviour));
  vi.stubEnv('HOME', home);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  });
}

import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { exportIncident } from '../../src/cli/export.js';
import { archive, run } from '../support/archive.js';
import { temporaryDirectory } from '../support/temporary.js';

it('export packs the directory, private to its user', async () => {
  const root = await archive();
  const output = join(await temporaryDirectory(), 'x.tar.gz');
  const packed = await run((terminal) =>
    exportIncident(root, 'bb', { tar: true, output }, terminal, new PassThrough()),
  );
  expect(packed).toEqual({ code: 0, out: '', err: '' });
  const { stdout } = await promisify(execFile)('tar', ['-tzf', output]);
  expect(stdout).toMatch(/^20260918T103502Z\.store\.bb000003\/\n/);
  expect(stdout).toContain('bb000003/incident.json\n');
  expect((await stat(output)).mode & 0o777).toBe(0o600);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { temporaryDirectory } from '../support/temporary.js';

const docs = join(import.meta.dirname, '../../docs');
const ENDED_MS = 60_000;

/** Where the program finds what the documentation names. */
interface Places {
  states: string;
  incidents: string;
}

interface Flow {
  /** Rejects if it does not end by itself, with what it has said. */
  ended: Promise<{ said: string; results: string }>;
}

/** Starts the Python of docs/kdevops.md, for a guest that is never done; resolves once it polls. */
export async function pollingFlow(vm: string, { states, incidents }: Places): Promise<Flow> {
  const place = await temporaryDirectory();
  const results = join(place, 'results');
  const text = readFileSync(join(docs, 'kdevops.md'), 'utf8');
  const [functions = '', loop = ''] = [...text.matchAll(/```python\n([^]*?)```/g)].map(([, block]) => block);
  const between = `import sys
STATES, INCIDENTS, vm, results = sys.argv[1:]
def done():
    print("not done", flush=True)
`;
  const asked = loop.replace('started)', 'started, every=0.5)');
  writeFileSync(join(place, 'flow.py'), [functions, between, asked].join('\n'));
  const args = [join(place, 'flow.py'), states, incidents, vm, results];
  const child = spawn('python3', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += String(data)));
  const end = once(child, 'close', { signal: AbortSignal.timeout(ENDED_MS) }).catch(() => {
    child.kill();
    throw new Error(`The flow has not ended: ${said}`);
  });
  const ended = end.then(() => ({ said: said.replaceAll('not done\n', ''), results }));
  // Whoever awaits it hears of it.
  ended.catch(() => undefined);
  await expect.poll(() => said, { timeout: 10_000 }).toContain('not done');
  return { ended };
}

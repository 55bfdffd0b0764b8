/** The thread that asks QEMU for pieces of memory; see saved-ram.ts. */
import { rmSync, writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { withQmp } from '../qmp/with-qmp.js';
import { pieceFile, type SaverData, whyFile } from './saved-ram.js';

const { qmpSocket, file, state: states, order: orders } = workerData as SaverData;
const state = new Int32Array(states);
const order = new Float64Array(orders);
const QMP_MS = 1_000;

for (;;) {
  Atomics.wait(state, 0, 0);
  if (Atomics.load(state, 0) !== 1) {
    // Until the next one is wanted.
    Atomics.wait(state, 0, Atomics.load(state, 0));
    continue;
  }
  const [val = 0, size = 0, number = 0] = order;
  rmSync(pieceFile(file, number - 1), { force: true });
  const saved = await save(val, size, pieceFile(file, number));
  // Another one is wanted meanwhile.
  if (order[2] !== number) continue;
  Atomics.compareExchange(state, 0, 1, saved ? 2 : 3);
  Atomics.notify(state, 0);
}

async function save(val: number, size: number, filename: string): Promise<boolean> {
  try {
    writeFileSync(filename, '', { mode: 0o600, flag: 'wx' });
    await withQmp(qmpSocket, { timeoutMs: QMP_MS }, (session) =>
      session.execute('pmemsave', { val, size, filename }),
    );
    return true;
  } catch (error) {
    sayWhy(error instanceof Error ? error.message : String(error));
    return false;
  }
}

function sayWhy(why: string): void {
  try {
    writeFileSync(whyFile(file), why, { mode: 0o600 });
  } catch {
    // The look has ended meanwhile, and the directory is gone.
  }
}

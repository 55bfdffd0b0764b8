/** The snapshots of one guest's memory on their way to its decision, and to the incident of its case. */
import type { SnapshotAnswer, SnapshotTaken } from '../core/memory/answers.js';
import type { Grounds } from '../core/watch/case/accusation.js';
import { snapshotSeen } from '../core/watch/memory-view.js';
import type { IncidentWriter } from '../io/archive/writer.js';
import type { GuestHandle } from './guest-handle.js';

export class SnapshotKeeper {
  /** What memory showed last of the case with these grounds. */
  private kept: { grounds: Grounds; taken: SnapshotTaken } | null = null;
  private reading: Promise<unknown> = Promise.resolve();

  /** `writer`: of the incident that is open, or null. */
  constructor(
    private readonly guest: Pick<GuestHandle, 'state' | 'now'>,
    private readonly writer: () => IncidentWriter | null,
  ) {}

  /** Answers with `snapshot`. What belongs to a case is on disk by then, if its directory is there. */
  async read(answer: Promise<SnapshotAnswer>, keep: boolean): Promise<void> {
    const { guest } = this;
    const grounds = keep ? guest.state.case?.accusation : undefined;
    const read = answer.then(async (taken) => {
      if (taken.ok && grounds !== undefined && guest.state.case?.accusation === grounds) {
        this.kept = { grounds, taken };
        await this.writer()?.memory(taken);
      }
      guest.now({ type: 'snapshot', seen: taken.ok ? snapshotSeen(taken, { whole: keep }) : taken });
    });
    if (keep) this.reading = read.catch(() => undefined);
    await read;
  }

  /** The directory of a case is there: resolves once what memory showed is in it, and its decision was told. */
  async into(writer: IncidentWriter, grounds: Grounds): Promise<void> {
    if (this.kept?.grounds === grounds) await writer.memory(this.kept.taken);
    await this.reading;
  }

  /** The case is over. Returns what belonged to it. */
  take(): SnapshotTaken | null {
    const { kept } = this;
    this.kept = null;
    return kept?.taken ?? null;
  }
}

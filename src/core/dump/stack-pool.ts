import type { Frame } from '../model.js';
import { parseFrames } from './frame.js';

/** Beyond them the pool starts anew: a guest that prints other frames for ever fills no memory. */
const LINES_MAX = 20_000;
const STACKS_MAX = 20_000;

/** Of a large dump most lines are equal, and most stacks: each is read once and kept once. */
export class StackPool {
  private readonly lines = new Map<string, Frame[]>();
  private readonly numbers = new Map<Frame, number>();
  private readonly stacks = new Map<string, Frame[]>();

  /** The frames of a line that was read before and is nothing else than a frame. */
  known(text: string): Frame[] | undefined {
    return this.lines.get(text);
  }

  /** As parseFrames. */
  read(text: string, first: boolean): Frame[] | null {
    const frames = parseFrames(text, first);
    // What an arm32 line holds depends on where it stands.
    if (frames && !text.includes(' from ')) this.keep(text, frames);
    return frames;
  }

  /** An equal stack that is kept already, or this one. */
  shared(frames: Frame[]): Frame[] {
    const numbers = frames.map((frame) => this.numbers.get(frame));
    if (numbers.includes(undefined)) return frames;
    const key = numbers.join(' ');
    const kept = this.stacks.get(key);
    if (kept) return kept;
    if (this.stacks.size >= STACKS_MAX) this.stacks.clear();
    this.stacks.set(key, frames);
    return frames;
  }

  private keep(text: string, frames: Frame[]): void {
    if (this.lines.size >= LINES_MAX) {
      this.lines.clear();
      this.numbers.clear();
      this.stacks.clear();
    }
    this.lines.set(text, frames);
    for (const frame of frames) this.numbers.set(frame, this.numbers.size);
  }
}

/** What report.html draws along the time: one mark is one thing that was seen of a guest, or done to it. */

export const LANES = {
  console: 'Console',
  ssh: 'SSH',
  looks: 'Looks',
  chords: 'Chords',
  dumps: 'Dumps',
} as const;
export type Lane = keyof typeof LANES;

export interface Mark<Time = string> {
  /** ISO, UTC, in a report. */
  at: Time;
  /** Of what lasts, such as a dump: its end. */
  until?: Time;
  lane: Lane;
  text: string;
  /** Whether the guest answered; null where nothing was asked. */
  good: boolean | null;
}

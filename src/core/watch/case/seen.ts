/** What the rows over a verdict may draw on. */
import type { Analysis } from '../../model.js';
import type { GuestState } from '../state.js';
import type { Case } from './case.js';
import type { Facts } from './facts.js';

export interface Seen {
  state: GuestState;
  current: Case;
  facts: Facts;
  analysis: Analysis;
  /** Why the evidence is not whole. */
  incompleteBecause: readonly string[];
  /** What the guest no longer does, in words. */
  lost: string;
}

/** How well a source of console lines is read, for `status`, and for a judge who must not trust silence while blind. */
export interface SourceStatus {
  /** `catching-up`: lines arrive late, silence means nothing. `down`: nothing arrives, `detail` says why and the fix. */
  state: 'catching-up' | 'live' | 'down';
  detail: string;
}

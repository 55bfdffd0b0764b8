/** How well a source of console lines is read, for `status`, and so that silence accuses nobody while it is not read. */
export interface SourceStatus {
  /** `catching-up`: lines arrive late, silence means nothing. `down`: nothing arrives, `detail` says why and the fix. */
  state: 'catching-up' | 'live' | 'down';
  detail: string;
}

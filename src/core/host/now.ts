/** Share of the last 10 s, in percent, in which somebody waited for it (/proc/pressure, Documentation/accounting/psi.rst). */
export interface HostPressure {
  /** some */
  cpu: number | null;
  /** full */
  io: number | null;
  /** full */
  memory: number | null;
}

/** What the host itself suffers from. */
export interface HostNow {
  pressure: HostPressure | null;
  /** Guests of this daemon that lost SSH within the last seconds, of how many. */
  stalled: number;
  guests: number;
}

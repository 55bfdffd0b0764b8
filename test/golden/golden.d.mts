export interface Golden {
  /** How it was made, and what is right to say of it: lines that begin with `# `. */
  making: string[];
  /** Whether the server of its share, the virtiofs `store`, was stopped on the host. */
  storeStopped: boolean;
  log: Buffer;
}
export function goldenPath(name: string): string;
export function goldenNames(): string[];
export function readGolden(name: string): Golden;
export function goldenText(golden: Golden & { expected?: string[] }): string;

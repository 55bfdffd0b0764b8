/** The result of one check of doctor. */
import { execa } from 'execa';

export interface Check {
  what: string;
  result: 'ok' | 'warning' | 'fault';
  detail: string;
  fix: string | null;
}

const TOOL_MS = 5_000;

export const ok = (what: string, detail: string): Check => ({ what, result: 'ok', detail, fix: null });

export const warning = (what: string, detail: string, fix: string): Check => ({
  what,
  result: 'warning',
  detail,
  fix,
});

export const fault = (what: string, detail: string, fix: string | null): Check => ({
  what,
  result: 'fault',
  detail,
  fix,
});

/** What a tool of the host prints; null if it is missing, fails or takes longer than 5 s. */
export async function tool(file: string, args: string[]): Promise<string | null> {
  const { stdout, failed } = await execa(file, args, { timeout: TOOL_MS, reject: false });
  return failed ? null : stdout;
}

/** Whose units the guests are: of the user who runs wedgewatch, or of the system. */
export type Scope = 'user' | 'system';

interface ScopeWords {
  /** Fields of the journal (systemd.journal-fields(7)): whose line it is, and whom the manager speaks of. */
  unit: string;
  aboutUnit: string;
  aboutInvocation: string;
  /** Of journalctl(1), before `=UNIT`. */
  unitOption: string;
  systemctl: readonly string[];
}

export const SCOPES: Readonly<Record<Scope, ScopeWords>> = {
  user: {
    unit: '_SYSTEMD_USER_UNIT',
    aboutUnit: 'USER_UNIT',
    aboutInvocation: 'USER_INVOCATION_ID',
    unitOption: '--user-unit',
    systemctl: ['systemctl', '--user'],
  },
  system: {
    unit: '_SYSTEMD_UNIT',
    aboutUnit: 'UNIT',
    aboutInvocation: 'INVOCATION_ID',
    unitOption: '--unit',
    systemctl: ['systemctl'],
  },
};

/** A command for people to type. */
export const systemctl = (scope: Scope, words: string): string =>
  [...SCOPES[scope].systemctl, words].join(' ');

/** Why a guest gives no answer to its keys, as far as what is known of it leaves a choice. */
import { KEYLESS } from '../../qmp/keyboards.js';
import type { Context } from '../context.js';
import { unreadText } from '../slices/console.js';
import { samplesOf, someBusy } from '../looks.js';
import type { Case } from './case.js';

/** As many samples of a CPU without interrupts are no coincidence. */
const ENOUGH = 4;

/** One phrase with the causes that are left. */
export function whyMute({ state: { arming, console } }: Context, { looks, capture }: Case): string {
  const { facts } = arming;
  if (console.unread !== null) return unreadText(console.unread);
  if (capture.rungs.some(({ detail }) => detail === KEYLESS))
    return `the guest does not answer Alt+SysRq: ${KEYLESS}`;
  const mask = facts?.alwaysEnabled === true ? 1 : (facts?.sysrqMask ?? null);
  if (mask === 0) return 'the guest does not answer Alt+SysRq: kernel.sysrq=0';
  const deaf = deafCpu(looks);
  if (deaf === true) return 'the guest does not answer Alt+SysRq: interrupts are off on its CPU 0';
  const causes = [
    // With PREEMPT_RT the keyboard's interrupt is a thread at real-time priority 50.
    ...(someBusy(looks) ? ['a CPU that is kept busy above the thread of its keyboard’s interrupt'] : []),
    ...(arming.heard === true ? [] : ['no PS/2 keyboard driver in its kernel']),
    mask === null ? 'kernel.sysrq=0' : `kernel.sysrq set to 0 since it was ${mask}`,
    ...(deaf === false ? [] : ['interrupts off on its CPU 0']),
  ];
  const first = causes.slice(0, -1).join(', ');
  const last = causes.at(-1) ?? '';
  return `the guest does not answer Alt+SysRq: ${first === '' ? last : `${first}, or ${last}`}`;
}

/** Whether the CPU that serves the keyboard takes no interrupts; null where its registers do not tell. */
function deafCpu(looks: Case['looks']): boolean | null {
  const masked = (samplesOf(looks).get(0) ?? []).flatMap((sample) => sample.masked ?? []);
  if (masked.includes(false)) return false;
  return masked.length >= ENOUGH ? true : null;
}

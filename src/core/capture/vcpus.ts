/** What samples of the registers tell of each vCPU, for people. */
import type { CpuSample, Look } from '../model.js';
import { counted } from '../words.js';

const SHOWN = 8;
/** A loop of one function, or of two that call each other. */
const SAME_PLACE = 4096n;

/** One phrase a vCPU; null where QEMU gave no registers. */
export function describeVcpus({ qmp, noSymbols }: Pick<Look, 'qmp' | 'noSymbols'>): string | null {
  const vcpus = qmp.ok ? qmp.vcpus.filter(({ samples = [] }) => samples.length > 0) : [];
  if (vcpus.length === 0) return null;
  const phrases = vcpus
    .slice(0, SHOWN)
    .map(
      ({ index, samples = [] }) => `vCPU ${index} ${doing(samples)} (${counted(samples.length, 'sample')})`,
    );
  const rest = vcpus.length - SHOWN;
  const more = rest > 0 ? [`and ${rest} more in host.json`] : [];
  const nameless = noSymbols === undefined ? [] : [`addresses have no names: ${noSymbols}`];
  return [...phrases, ...more, ...nameless].join('; ');
}

function doing(samples: readonly CpuSample[]): string {
  const all = (name: 'halted' | 'user' | 'masked') => samples.every((sample) => sample[name] === true);
  const masked = all('masked') ? ', interrupts off' : '';
  if (all('halted')) return `is halted at ${place(samples)}${masked}`;
  if (samples.some(({ halted }) => halted)) return 'runs and rests';
  const where = all('user')
    ? 'in a program'
    : samples.some(({ user }) => user)
      ? 'in and out of the kernel'
      : 'in the kernel';
  return `${staysPut(samples) ? 'spins' : 'runs'} ${where} at ${place(samples)}${masked}`;
}

function staysPut(samples: readonly CpuSample[]): boolean {
  const places = samples.map(({ pc }) => BigInt(`0x${pc}`)).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return (places.at(-1) ?? 0n) - (places[0] ?? 0n) < SAME_PLACE;
}

const place = (samples: readonly CpuSample[]): string =>
  [...new Set(samples.map(({ pc, symbol }) => (symbol === undefined ? `0x${pc}` : `${symbol} (0x${pc})`)))]
    .slice(0, 3)
    .join(', ');

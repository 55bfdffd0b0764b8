import { describe, expect, it } from 'vitest';
import type { CpuSample, Look } from '../../../src/core/model.js';
import { parseSystemMap, relocation, symbolAt, withSymbols } from '../../../src/core/qmp/system-map.js';
import { NO_FACTS } from '../../../src/core/ssh/guest-facts.js';

const TEXT = `0000000000000000 D __per_cpu_start
ffffffff81000000 T _text
ffffffff81000040 t idle_one
ffffffff81000040 T alias_of_it
ffffffff81000100 W weak_two
ffffffff81000180 D not_code
ffffffff81000200 T _etext
ffffffff82000000 D data
ffffffffc0000000 t in_a_module\t[ext4]
`;

function map(text = TEXT) {
  const parsed = parseSystemMap(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

describe('a System.map', () => {
  it.each([
    ['ffffffff81000000', '_text+0x0/0x40'],
    ['ffffffff8100004b', 'alias_of_it+0xb/0xc0'],
    ['ffffffff81000180', 'weak_two+0x80/0x100'],
    ['ffffffff810001ff', 'weak_two+0xff/0x100'],
    ['ffffffff81000200', null],
    ['ffffffff80ffffff', null],
    ['ffffffffc0000000', null],
    ['00007f0000001000', null],
  ])('names %s %s', (pc, symbol) => {
    expect(symbolAt(map(), 0n, pc)).toBe(symbol);
  });

  it('may lie in any order, as System.map of a module loader does', () => {
    const shuffled = TEXT.trim().split('\n').reverse().join('\n');
    expect(symbolAt(map(shuffled), 0n, 'ffffffff81000101')).toBe('weak_two+0x1/0x100');
  });

  it.each([
    ['', 'it has no _text: it is no System.map'],
    ['<html>\n', 'it has no _text: it is no System.map'],
    [
      TEXT.replace(/^[0-9a-f]{16}/gm, '0'.repeat(16)),
      'its addresses are 0: it was read from /proc/kallsyms by a user who may not see them',
    ],
  ])('is told from other files: %.20j', (text, why) => {
    expect(parseSystemMap(text)).toBe(why);
  });
});

describe('the relocation of a kernel', () => {
  const facts = (textAddress: string | null) => ({ ...NO_FACTS, textAddress });

  it.each([
    ['as the guest said', 'ffffffff9f200000', null, 0x1e200000n],
    ['as the guest said, whatever its command line', 'ffffffff81000000', 'nokaslr', 0n],
    ['none, by its command line', null, 'console=ttyS0 nokaslr quiet', 0n],
    ['not known', null, 'console=ttyS0', null],
    ['not known', null, 'xnokaslr', null],
    ['not known', null, null, null],
  ])('is %s', (_how, text, commandLine, by) => {
    expect(relocation(map(), facts(text), commandLine)).toBe(by);
  });
});

describe('the samples of a look', () => {
  const sample = (pc: string, user: boolean | null): CpuSample => ({ pc, user, halted: null, masked: null });

  it('get names in the kernel, not in programs', () => {
    const look: Look = {
      qmp: {
        ok: true,
        runState: 'running',
        block: null,
        vcpus: [
          {
            index: 0,
            threadId: 1,
            cpuMs: null,
            samples: [sample('ffffffff9f200101', false), sample('ffffffff9f200101', true)],
          },
        ],
      },
      qemu: null,
      kernelCommandLine: null,
      shares: [],
    };
    const { qmp } = withSymbols(look, map(), 0x1e200000n);
    const samples = qmp.ok ? qmp.vcpus[0]?.samples : [];
    expect(samples?.map(({ symbol }) => symbol)).toEqual(['weak_two+0x1/0x100', undefined]);
  });
});

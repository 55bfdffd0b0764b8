import { expect, it } from 'vitest';
import { registersOf } from '../../../src/core/qmp/registers.js';

const X86 = [
  '',
  'CPU#0',
  'RAX=0000000000000000 RBX=ffffffff8201aa40 RCX=0000000000000001 RDX=4000000000000000',
  'RIP=ffffffff81a5c1eb RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1',
  'ES =0000 0000000000000000 ffffffff 00c00000',
  '',
  'CPU#1',
  'EAX=000f49f6 EBX=00000000 ECX=000002ff EDX=00000001',
  'EIP=000fd09a EFL=00000002 [-------] CPL=3 II=0 A20=1 SMM=0 HLT=0',
].join('\r\n');

it('reads where each vCPU is, and whether it waits or runs a program', () => {
  expect([...registersOf(X86)]).toEqual([
    [0, { pc: 'ffffffff81a5c1eb', halted: true, user: false, masked: false }],
    [1, { pc: '000fd09a', halted: false, user: true, masked: true }],
  ]);
});

it('reads an arm64 as far as it tells', () => {
  const text = '\nCPU#0\n PC=ffff800010a1b2c4 X00=0000000000000000 X01=0\nPSTATE=60000005 -ZC- EL1h\n';
  expect([...registersOf(text)]).toEqual([
    [0, { pc: 'ffff800010a1b2c4', halted: null, user: false, masked: null }],
  ]);
});

it.each([null, {}, '', 'CPU#0\nnothing', 'CPU#x\nRIP=00000000'])('takes nothing from %j', (answer) => {
  expect(registersOf(answer).size).toBe(0);
});

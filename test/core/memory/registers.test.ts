import { describe, expect, it } from 'vitest';
import { parseRegisters, registersOf } from '../../../src/core/memory/registers.js';

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

it.each([
  ['00000085', true],
  ['00000045', null],
])('an arm64 with PSTATE %s masks interrupts: %s', (state, masked) => {
  const text = `\nCPU#0\n PC=ffff800010a1b2c4 X00=0000000000000000\nPSTATE=${state} ---- EL1h\n`;
  expect(registersOf(text).get(0)?.masked).toBe(masked);
});

it.each([null, {}, '', 'CPU#0\nnothing', 'CPU#x\nRIP=00000000'])('takes nothing from %j', (answer) => {
  expect(registersOf(answer).size).toBe(0);
});

const X86_FULL = `\r
CPU#0\r
RAX=0000000000000000 RBX=0000000000000000 RCX=ffffffffad811180 RDX=00000000000478a4\r
RSI=0000000000000096 RDI=00000000000478a4 RBP=ffffffffad811180 RSP=ffffffffad803dc8\r
R8 =00000007e5e6477e R9 =0000000000000eda R10=ffff8c1216c21968 R11=0000000000000001\r
R12=0000000000000000 R13=0000000000000000 R14=0000000000000000 R15=00000000000147b0\r
RIP=ffffffffac87b39f RFL=00000282 [--S----] CPL=0 II=0 A20=1 SMM=0 HLT=1\r
ES =0000 0000000000000000 00000000 00000000\r
CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\r
GS =0000 ffff8c1268846000 00000000 00000000\r
GDT=     fffffe3bc3ab1000 0000007f\r
IDT=     fffffe0000000000 00000fff\r
CR0=80050033 CR2=0000000000569ba6 CR3=0000000002fad000 CR4=000006f0\r
\r
CPU#1\r
RAX=0000000000000000 RBX=0000000000000000 RCX=0000000000000000 RDX=0000000000000000\r
RSI=0000000000000000 RDI=0000000000000000 RBP=0000000000000000 RSP=00007ffd00000000\r
RIP=00000000004011d0 RFL=00000046 [--S----] CPL=3 II=0 A20=1 SMM=0 HLT=0\r
CR0=80050033 CR2=0000000000569ba6 CR3=0000000002fad000 CR4=000006f0\r
`;

const ARM64_FULL = `
CPU#0
 PC=ffffd5a1c3a0e4d8 X00=00000000000000e0 X01=0000000000000001
X02=0000000000000000 X29=ffff80008351bd80 X30=ffffd5a1c3a0e4cc  SP=ffff80008351bd80
PSTATE=600000c5 -ZC- EL1h
`;

describe('parseRegisters', () => {
  it('x86: every register by its short name, and what a CPU may do', () => {
    const [first, second] = parseRegisters(X86_FULL);
    expect(first).toMatchObject({
      ...{ vcpu: 0, user: false, halted: true, interruptsOff: false },
      ...{ cr3: 0x2fad000n, cr4: 0x6f0n, gdt: 0xfffffe3bc3ab1000n, gs: 0xffff8c1268846000n },
    });
    expect(first?.general).toMatchObject({
      ...{ cx: 0xffffffffad811180n, di: 0x478a4n, bp: 0xffffffffad811180n, sp: 0xffffffffad803dc8n },
      ...{ r8: 0x7e5e6477en, r10: 0xffff8c1216c21968n, r15: 0x147b0n, ip: 0xffffffffac87b39fn },
    });
    expect(second).toMatchObject({
      vcpu: 1,
      user: true,
      halted: false,
      interruptsOff: true,
      gdt: null,
      gs: null,
    });
  });

  it('arm64', () => {
    expect(parseRegisters(ARM64_FULL)).toEqual([
      {
        ...{
          vcpu: 0,
          cr3: null,
          cr4: null,
          gdt: null,
          gs: null,
          user: false,
          halted: null,
          interruptsOff: true,
        },
        general: {
          ...{ pc: 0xffffd5a1c3a0e4d8n, sp: 0xffff80008351bd80n, x0: 0xe0n, x1: 1n, x2: 0n },
          ...{ x29: 0xffff80008351bd80n, x30: 0xffffd5a1c3a0e4ccn },
        },
      },
    ]);
  });

  it('what is no register is left out', () => {
    expect(parseRegisters('CPU#0\nEAX=00000000 EIP=00001000\nCPU#\nunknown command')).toEqual([]);
    expect(parseRegisters('')).toEqual([]);
  });
});

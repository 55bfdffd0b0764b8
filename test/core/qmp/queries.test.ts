import { describe, expect, it } from 'vitest';
import { sendKeyArguments } from '../../../src/core/qmp/send-key.js';
import { connectFault } from '../../../src/core/qmp/faults.js';
import { blockSums, runStateOf, vcpusOf } from '../../../src/core/qmp/queries.js';

describe('runStateOf', () => {
  it('names the state', () => expect(runStateOf({ status: 'io-error', running: false })).toBe('io-error'));
  it.each([null, 'running', {}, { status: 1 }])('does not know %j', (answer) => {
    expect(runStateOf(answer)).toBe('unknown');
  });
});

describe('vcpusOf', () => {
  it('takes index and thread', () => {
    const cpus = [{ 'cpu-index': 0, 'thread-id': 25, target: 'x86_64' }, { 'cpu-index': 1 }, 'junk'];
    expect(vcpusOf(cpus)).toEqual([{ index: 0, threadId: 25 }]);
    expect(vcpusOf(null)).toEqual([]);
  });
});

describe('blockSums', () => {
  it('adds up devices, not the layers below them', () => {
    const parent = { stats: { rd_operations: 100, wr_operations: 100 } };
    const devices = [
      { device: 'vda', stats: { rd_operations: 5, wr_operations: 2 }, parent },
      { device: 'vdb', stats: { rd_operations: 1 }, backing: parent },
    ];
    expect(blockSums(devices)).toEqual({ reads: 6, writes: 2 });
  });
  it.each([[[]], [null], [{}], [[{ device: 'vda' }]]])('is null for %j', (answer) => {
    expect(blockSums(answer)).toBeNull();
  });
});

describe('sendKeyArguments', () => {
  it('presses Alt, SysRq and the key, in that order', () => {
    expect(sendKeyArguments('w')).toEqual({
      keys: ['alt', 'sysrq', 'w'].map((data) => ({ type: 'qcode', data })),
      'hold-time': 10,
    });
  });
});

describe('connectFault', () => {
  it.each([
    ['ENOENT', 'missing'],
    ['ECONNREFUSED', 'missing'],
    ['ENOTDIR', 'missing'],
    [undefined, 'missing'],
    ['EACCES', 'no-permission'],
    ['EAGAIN', 'busy'],
    ['EMFILE', 'no-resources'],
    ['ECONNRESET', 'closed'],
  ])('%s is %s', (code, fault) => expect(connectFault(code)).toBe(fault));
});

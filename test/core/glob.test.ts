import fc from 'fast-check';
import { expect, it } from 'vitest';
import { globTest } from '../../src/core/glob.js';

it.each([
  ['slow-*', ['slow-', 'slow-1', 'slow-a.b'], ['slow', 'x-slow-1', '']],
  ['*', ['', 'a', '.hidden', 'a\nb'], []],
  ['a?c', ['abc', 'a.c'], ['ac', 'abbc']],
  ['vm-[0-9]', ['vm-0', 'vm-9'], ['vm-a', 'vm-10']],
  ['vm-[!0-9]', ['vm-a'], ['vm-0', 'vm-']],
  ['vm[]x]', ['vm]', 'vmx'], ['vm']],
  ['{build,test}-{a,b*}', ['build-a', 'test-b9'], ['build-c', 'build']],
  ['!slow-*', ['fast', ''], ['slow-1']],
  ['a(1)+|$', ['a(1)+|$'], ['a1', 'a']],
  ['a\\*', ['a*'], ['ab']],
  ['a}', ['a}'], ['a']],
])('%s matches %j and not %j', (glob, these, others) => {
  expect(these.filter((name) => !globTest(glob)(name))).toEqual([]);
  expect(others.filter((name) => globTest(glob)(name))).toEqual([]);
});

it.each([
  ['a[', 'Missing closing "]"'],
  ['a{b,c', 'Missing closing "}"'],
  ['', 'empty'],
  ['!', 'empty'],
  ['[z-a]', 'range'],
])('%j is no glob', (glob, why) => {
  expect(() => globTest(glob)).toThrow(why);
});

it('takes time by the length of the name, whatever the glob', () => {
  const test = globTest(`${'*a'.repeat(100)}b`);
  const started = performance.now();
  expect(test('a'.repeat(5_000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(2_000);
});

it('matches each name by itself, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (name, other) => {
      const quoted = name.replace(/[\\*?[\]{}!,]/g, '\\$&');
      fc.pre(name !== '');
      expect(globTest(quoted)(name)).toBe(true);
      expect(globTest(quoted)(other)).toBe(other === name);
      try {
        globTest(name)(other);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
  );
});

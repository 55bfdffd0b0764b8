import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newcArchive, type ArchiveEntry } from '../../src/guest/newc.js';

/** Reads an archive as the kernel does: header of 13 hexadecimal fields, name, data, each padded to 4 bytes. */
function read(archive: Buffer): { path: string; mode: number; uid: number; content: Buffer }[] {
  const entries = [];
  for (let at = 0; ;) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const field = (index: number) =>
      parseInt(archive.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const nameEnd = at + 110 + field(11);
    const path = archive.toString('utf8', at + 110, nameEnd - 1);
    const data = Math.ceil(nameEnd / 4) * 4;
    if (path === 'TRAILER!!!') return entries;
    entries.push({ path, mode: field(1), uid: field(2), content: archive.subarray(data, data + field(6)) });
    at = Math.ceil((data + field(6)) / 4) * 4;
  }
}

test('directories come before what lies in them, once, and all belongs to root', () => {
  const entries: ArchiveEntry[] = [
    { path: 'root', mode: 0o700 },
    { path: 'root/.ssh/authorized_keys', mode: 0o600, content: Buffer.from('key') },
    { path: 'etc/a', mode: 0o644, content: Buffer.alloc(0) },
    { path: 'etc/b', mode: 0o644, content: Buffer.from('12345') },
  ];
  const found = read(newcArchive(entries));
  expect(found.map(({ path, mode }) => `${path} ${mode.toString(8)}`)).toEqual([
    'root 40700',
    'root/.ssh 40755',
    'root/.ssh/authorized_keys 100600',
    'etc 40755',
    'etc/a 100644',
    'etc/b 100644',
  ]);
  expect(found.map(({ uid }) => uid)).toEqual([0, 0, 0, 0, 0, 0]);
});

test('every file comes back as it went in', () => {
  const named = fc.dictionary(fc.stringMatching(/^[a-zé]{1,9}$/), fc.uint8Array({ maxLength: 99 }));
  fc.assert(
    fc.property(named, (files) => {
      const entries = Object.entries(files).map(([path, content]) => ({ path, mode: 0o644, content }));
      const found = read(newcArchive(entries)).map(({ path, content }) => [
        path,
        Buffer.from(content).toString('hex'),
      ]);
      expect(found).toEqual(entries.map(({ path, content }) => [path, Buffer.from(content).toString('hex')]));
    }),
  );
});

/** docs/README.md leads to every document, and no link leads nowhere. */
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blocks, documents, textOf } from '../support/doc-commands.js';

/** GitHub's name of a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/ /g, '-');
const anchorsOf = (path: string): string[] =>
  [...textOf(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchor(heading));

it('the index of questions leads to every document', () => {
  const index = textOf('docs/README.md');
  const missing = documents.filter((path) => path.startsWith('docs/') && path !== 'docs/README.md');
  expect(missing.filter((path) => !index.includes(`](${path.replace('docs/', '')}`))).toEqual([]);
});

describe.each(documents)('%s', (path) => {
  it('has no link into nothing', () => {
    const links = [...textOf(path).matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
    const broken = links.filter(([, file = '', heading]) => {
      const target = file === '' ? path : normalize(join(dirname(path), file));
      if (!existsSync(target)) return true;
      return heading !== undefined && !anchorsOf(target).includes(heading);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it('marks what is to be typed as sh, so that it is run', () => {
    const typed =
      /^(?:\$ )?(?:wedgewatch|sudo|npm|npx|node|systemctl|loginctl|journalctl|git|ssh|virsh|nix) /;
    const hidden = blocks.filter((block) => block.path === path && block.language !== 'sh');
    expect(hidden.flatMap(({ lines }) => lines.filter((line) => typed.test(line)))).toEqual([]);
  });
});

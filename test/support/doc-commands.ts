/** The commands that the documentation tells people to type. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const project = join(import.meta.dirname, '../..');

/** The documents for people, by their paths from the project's root. */
export const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(project, 'docs')).map((name) => `docs/${name}`),
]
  .filter((path) => path.endsWith('.md'))
  .sort();

export const textOf = (path: string): string => readFileSync(join(project, path), 'utf8');

interface Block {
  path: string;
  /** What stands behind the fence, such as `sh`. */
  language: string;
  lines: string[];
}

const FENCE = /^( *)```(\S*)\n([^]*?)^\1```$/gm;

export const blocks: Block[] = documents.flatMap((path) =>
  [...textOf(path).matchAll(FENCE)].map(([, , language = '', body = '']) => ({
    path,
    language,
    lines: body.split('\n').map((line) => line.trim()),
  })),
);

/** The commands of all `sh` blocks, in their order, without comments; a line that ends in a backslash goes on. */
export const commands: { path: string; command: string }[] = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ path, lines }) =>
    lines
      .join('\n')
      .replaceAll('\\\n', ' ')
      .split('\n')
      .map((line) => line.replace(/(?:^|\s+)#(?: .*)?$/, '').trim())
      .filter((command) => command !== '')
      .map((command) => ({ path, command })),
  );

/** `wedgewatch VERB …` as it stands in the running text, and in tables. */
export const inline: { path: string; command: string }[] = documents.flatMap((path) =>
  [
    ...textOf(path)
      .replace(FENCE, '')
      .matchAll(/`(wedgewatch [^`\n]+)`/g),
  ].map(([, command = '']) => ({ path, command })),
);

/** From the text of a YAML file that people write to its values, or to everything that is wrong with it. */
import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument, Parser } from 'yaml';
import type { Document, Node } from 'yaml';
import type { z } from 'zod';
import type { JsonSchema } from './json-schema.js';
import { dotted, named, removedKey, unknownKey, type ConfigProblem } from './problem.js';

const MAX_TEXT = 256 * 1024;
/** Aliases expand; without a bound a few lines fill the memory. */
const MAX_ALIASES = 100;
/** The composer recurses, and V8 aborts the process if a regular expression meets the end of the stack. */
const MAX_DEPTH = 64;
/** Each is looked up in the file, which takes longer the longer it is; nobody mends more in one go. */
const MAX_PROBLEMS = 100;

/** A kind of file. */
interface FileKind<Value> {
  /** What it is, for messages: `configuration`. */
  what: string;
  schema: z.ZodType<Value>;
  /** The same, to say which keys there are. */
  jsonSchema: () => JsonSchema;
  /** What the schema reads, of what stands in the file. */
  prepare: (value: unknown) => unknown;
}

type ParsedFile<Value> = { ok: true; value: Value } | { ok: false; problems: ConfigProblem[] };

/** Reads one such file. `file` only names it in the problems; nothing is thrown. */
export function parseYaml<Value>(text: string, file: string, kind: FileKind<Value>): ParsedFile<Value> {
  const whole = (message: string): ParsedFile<Value> => ({
    ok: false,
    problems: [{ file, position: null, path: '', found: null, message }],
  });
  const { what } = kind;
  if (text.length > MAX_TEXT) return whole(`longer than ${MAX_TEXT / 1024} KiB: this is no ${what}`);
  if (isNestedDeeply(text)) return whole(`nested too deeply: this is no ${what}`);
  const lines = new LineCounter();
  try {
    const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
    const syntax = [...doc.errors, ...doc.warnings].slice(0, MAX_PROBLEMS);
    if (syntax.length > 0) {
      return {
        ok: false,
        problems: syntax.map((error) => syntaxProblem(error, { text, file, lines, what })),
      };
    }
    const result = kind.schema.safeParse(kind.prepare(doc.toJS({ maxAliasCount: MAX_ALIASES })));
    if (result.success) return { ok: true, value: result.data };
    const source = { doc, file, lines, jsonSchema: kind.jsonSchema };
    const issues = result.error.issues.slice(0, MAX_PROBLEMS);
    const problems = issues.flatMap((issue) => schemaProblems(issue, source));
    return { ok: false, problems: problems.sort(byPosition) };
  } catch (error) {
    // Too many aliases, for one.
    return whole(`cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function isNestedDeeply(text: string): boolean {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    Array.from(parser.next(lexeme));
    if (parser.stack.length > MAX_DEPTH) return true;
  }
  return false;
}

interface Source {
  doc: Document;
  file: string;
  lines: LineCounter;
  jsonSchema: () => JsonSchema;
}

function syntaxProblem(
  error: { code: string; message: string; pos: [number, number] },
  { text, file, lines, what }: { text: string; file: string; lines: LineCounter; what: string },
): ConfigProblem {
  const key = /^[^\s:]{1,40}/.exec(text.slice(error.pos[0]))?.[0] ?? '';
  const messages: Record<string, string> = {
    DUPLICATE_KEY: `${key} is given twice; keep one of the two`,
    MULTIPLE_DOCS: `a second document begins here; the ${what} is one`,
  };
  return {
    file,
    position: position(error.pos[0], lines),
    path: '',
    found: null,
    message: messages[error.code] ?? error.message,
  };
}

function schemaProblems(issue: z.core.$ZodIssue, source: Source): ConfigProblem[] {
  const { file } = source;
  if (issue.code === 'unrecognized_keys') {
    const schema = source.jsonSchema();
    return issue.keys.slice(0, MAX_PROBLEMS).map((key) => ({
      file,
      position: positionOf([...issue.path, key], source, 'key'),
      path: dotted([...issue.path, key]),
      found: null,
      message: removedKey(issue.path, key) ?? unknownKey(schema, issue.path, key),
    }));
  }
  const node = nodeAt(source.doc, issue.path).value;
  return [
    {
      file,
      position: positionOf(issue.path, source, 'value'),
      path: dotted(issue.path),
      found: named(isScalar(node) ? node.value : isMap(node) ? {} : isSeq(node) ? [] : null),
      message: expectation(issue),
    },
  ];
}

/** The kinds of values say themselves what they expect; only containers are left to zod. */
function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message;
  if (issue.expected === 'object') return 'expected a mapping of keys to values';
  return issue.expected === 'array' && !issue.message.startsWith('expected')
    ? 'expected a list'
    : issue.message;
}

interface Place {
  key: Node | null;
  value: Node | null;
  /** The innermost thing on the way that exists, where the last is missing. */
  nearest: Node | null;
}

function nodeAt(doc: Document, path: readonly PropertyKey[]): Place {
  let place: Place = { key: null, value: doc.contents, nearest: doc.contents };
  for (const segment of path) {
    const parent = isAlias(place.value) ? (place.value.resolve(doc) ?? null) : place.value;
    const { key, value } = child(parent, segment);
    place = { key, value, nearest: value ?? key ?? place.nearest };
  }
  return isAlias(place.value) ? { ...place, value: place.value.resolve(doc) ?? null } : place;
}

function child(parent: Node | null, segment: PropertyKey): { key: Node | null; value: Node | null } {
  if (isSeq<Node>(parent)) return { key: null, value: parent.items[Number(segment)] ?? null };
  const pair = isMap<Node, Node>(parent)
    ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment))
    : undefined;
  return { key: pair?.key ?? null, value: pair?.value ?? null };
}

function positionOf(path: readonly PropertyKey[], { doc, lines }: Source, of: 'key' | 'value') {
  const { key, nearest } = nodeAt(doc, path);
  const node = of === 'key' ? (key ?? nearest) : nearest;
  return node?.range ? position(node.range[0], lines) : null;
}

function position(offset: number, lines: LineCounter): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function byPosition(a: ConfigProblem, b: ConfigProblem): number {
  const [first, second] = [a.position ?? { line: 0, column: 0 }, b.position ?? { line: 0, column: 0 }];
  return first.line - second.line || first.column - second.column;
}

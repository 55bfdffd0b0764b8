import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** What each file imports of the others, types included. */
type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** The imports among the TypeScript files below a folder, by their paths. */
export function importGraph(folder: string): ImportGraph {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
  const known = new Set(files);
  const edges = (file: string) =>
    ts
      .preProcessFile(readFileSync(file, 'utf8'))
      .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
      .map(({ fileName }) => join(dirname(file), fileName).replace(/\.js$/, ''))
      .flatMap((path) => [`${path}.ts`, `${path}.tsx`].filter((candidate) => known.has(candidate)));
  return new Map(files.map((file) => [file, edges(file)]));
}

/** One circle of each knot of files that import each other, as a path that ends where it begins. */
export function circlesOf(graph: ImportGraph): string[][] {
  const circles: string[][] = [];
  const knotted = new Set<string>();
  for (const file of [...graph.keys()].sort()) {
    if (knotted.has(file)) continue;
    const circle = wayBack(graph, file);
    if (circle === null) continue;
    circles.push(circle);
    const below = reachable(graph, file);
    for (const other of below) if (reachable(graph, other).has(file)) knotted.add(other);
  }
  return circles;
}

/** The shortest way from a file back to itself, or null. */
function wayBack(graph: ImportGraph, start: string): string[] | null {
  const queue = [[start]];
  const seen = new Set<string>();
  for (const path of queue) {
    for (const next of graph.get(path.at(-1) ?? start) ?? []) {
      if (next === start) return [...path, start];
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push([...path, next]);
    }
  }
  return null;
}

function reachable(graph: ImportGraph, start: string): Set<string> {
  const seen = new Set<string>();
  const queue = [start];
  for (const file of queue)
    for (const next of graph.get(file) ?? [])
      if (!seen.has(next)) {
        seen.add(next);
        queue.push(next);
      }
  return seen;
}

/** No file imports itself by way of others, not for a type either: what is read first would have no beginning. */
import { describe, expect, it } from 'vitest';
import { circlesOf, importGraph } from '../support/import-graph.js';

describe('src/', () => {
  const graph = importGraph('src');
  const circles = circlesOf(graph);

  it('has no circle of imports', () => {
    expect(circles.map((circle) => circle.join(' -> '))).toEqual([]);
  });

  it('is read whole', () => {
    expect(graph.size).toBeGreaterThan(200);
    expect(graph.get('src/cli/main.ts')).toContain('src/cli/run.ts');
    expect(graph.get('src/daemon/guest.ts')).toContain('src/daemon/guest-handle.ts');
    expect(graph.get('src/core/report/html.tsx')).toContain('src/core/report/wait-picture.tsx');
  });
});

describe('a circle', () => {
  it.each([
    [{ a: ['b'], b: ['a'] }, ['a -> b -> a']],
    [{ a: ['a'] }, ['a -> a']],
    [{ a: ['b', 'c'], b: ['d'], c: ['d'], d: ['b', 'e'], e: [] }, ['b -> d -> b']],
    [{ a: ['b'], b: ['c'], c: ['a'], d: ['e', 'a'], e: ['d'] }, ['a -> b -> c -> a', 'd -> e -> d']],
    [{ a: ['b', 'c'], b: ['a'], c: ['a'] }, ['a -> b -> a']],
  ])('of %j is found', (imports, found) => {
    expect(circlesOf(new Map(Object.entries(imports))).map((circle) => circle.join(' -> '))).toEqual(found);
  });

  it('is none where two ways meet', () => {
    expect(circlesOf(new Map(Object.entries({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] })))).toEqual([]);
  });
});

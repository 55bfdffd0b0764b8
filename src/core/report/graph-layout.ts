/** Places the boxes of a graph in layers, and finds its rings, both by dagre. */
import * as dagre from '@dagrejs/dagre';

export interface Point {
  x: number;
  y: number;
}

interface Size {
  width: number;
  height: number;
}

interface Graph {
  setGraph(options: object): void;
  graph(): Partial<Size>;
  setNode(id: string, size: Size): void;
  node(id: string): Point;
  setEdge(from: string, to: string, label?: Size & { labelpos: 'c' }, name?: string): void;
  edge(from: string, to: string, name: string): Point & { points: Point[] };
  hasEdge(from: string, to: string): boolean;
}

/** What is used of it: its own declarations import without file endings, which NodeNext does not resolve. */
const { Graph, layout, graphlib } = dagre as unknown as {
  Graph: new (options?: { multigraph: boolean }) => Graph;
  layout: (graph: Graph) => void;
  graphlib: { alg: { tarjan: (graph: Graph) => string[][] } };
};

interface Edge {
  from: string;
  to: string;
}

const MARGIN = 14;

interface Layout extends Size {
  /** Middles, in the order of the nodes. */
  nodes: Point[];
  /** The line, and the middle of the label, in the order of the edges. */
  edges: (Point & { points: Point[] })[];
}

/** Layers from left to right; edges whose ends are unknown must not be among them. */
export function layered(
  nodes: readonly (Size & { id: string })[],
  edges: readonly (Edge & { label: Size })[],
): Layout {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 30, marginx: MARGIN, marginy: MARGIN });
  // Names of a guest's tasks are no keys for a library's objects: `__proto__` is one.
  const key = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const keyOf = (id: string): string => key.get(id) ?? '';
  for (const { id, width, height } of nodes) graph.setNode(keyOf(id), { width, height });
  edges.forEach(({ from, to, label }, index) =>
    graph.setEdge(keyOf(from), keyOf(to), { ...label, labelpos: 'c' }, `e${index}`),
  );
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width: Math.ceil(width),
    height: Math.ceil(height),
    nodes: nodes.map(({ id }) => graph.node(keyOf(id))),
    edges: edges.map(({ from, to }, index) => graph.edge(keyOf(from), keyOf(to), `e${index}`)),
  };
}

/** Each name that is in a ring, with the number of its ring: strongly connected, so that a diamond is none. */
export function ringsOf(edges: readonly Edge[]): Map<string, number> {
  const graph = new Graph();
  const names = [...new Set(edges.flatMap(({ from, to }) => [from, to]))];
  const key = new Map(names.map((name, index) => [name, `n${index}`]));
  for (const { from, to } of edges) graph.setEdge(key.get(from) ?? '', key.get(to) ?? '');
  const rings = graphlib.alg
    .tarjan(graph)
    .filter((keys) => keys.length > 1 || keys.some((one) => graph.hasEdge(one, one)));
  return new Map(
    rings.flatMap((keys, ring) => keys.map((one) => [names[Number(one.slice(1))] ?? '', ring] as const)),
  );
}

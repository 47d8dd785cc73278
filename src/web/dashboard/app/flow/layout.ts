// Where the nodes of a graph stand: layers by the longest way from the first node, few crossings within them, ways that
// pass layers kept clear of the boxes there. Plain numbers; drawing is `graph.tsx`.
import type { Edge, Graph, Node } from "./definition.ts";

export const BOX = { width: 172, height: 56 };
const GAP = { along: 56, across: 24, way: 16 };

export interface Placed {
  node: Node;
  x: number;
  y: number;
  layer: number;
  order: number;
}

export interface Way {
  edge: Edge;
  /// Corners in the drawing, the first at the box it leaves, the last at the box it reaches.
  points: [number, number][];
}

export interface Layout {
  nodes: Placed[];
  ways: Way[];
  width: number;
  height: number;
  down: boolean;
}

interface Cell {
  id: string;
  node: Node | null;
  before: string[];
  after: string[];
  across: number;
  size: number;
}

/// `words`: what stands at a way, so that there is room for it.
export function layout(graph: Graph, down: boolean, words: (edge: Edge) => string = () => ""): Layout {
  const layers = layerOf(graph);
  const cells = new Map<string, Cell>();
  const size = down ? BOX.width : BOX.height;
  for (const node of graph.nodes) cells.set(node.id, { id: node.id, node, before: [], after: [], across: 0, size: isEnd(node) && down ? 96 : size });
  const rows: Cell[][] = [];
  const put = (cell: Cell, layer: number) => (rows[layer] ??= []).push(cell);
  for (const node of graph.nodes) put(cells.get(node.id) as Cell, layers.get(node.id) ?? 0);
  const chains = graph.edges.map((edge, number) => {
    const chain = [edge.from];
    const [from, to] = [layers.get(edge.from) ?? 0, layers.get(edge.to) ?? 0];
    for (let layer = from + 1; layer < to; layer += 1) {
      const id = `\u0001${number}.${layer}`;
      const cell = { id, node: null, before: [], after: [], across: 0, size: GAP.way };
      cells.set(id, cell);
      put(cell, layer);
      chain.push(id);
    }
    chain.push(edge.to);
    for (let at = 1; at < chain.length; at += 1) {
      cells.get(chain[at - 1] as string)?.after.push(chain[at] as string);
      cells.get(chain[at] as string)?.before.push(chain[at - 1] as string);
    }
    return { edge, chain };
  });
  sortRows(rows, cells);
  place(rows, cells);

  // Where each layer begins: behind the one before, and behind the words at the ways that lead to it.
  const deep = down ? BOX.height : BOX.width;
  const begins: number[] = [0];
  rows.forEach((_, layer) => {
    if (layer === 0) return;
    const letters = Math.max(0, ...graph.edges.filter((edge) => layers.get(edge.to) === layer).map((edge) => words(edge).length));
    const before = rows[layer - 1]?.every((cell) => !cell.node || isEnd(cell.node)) ? endHalf(down) * 2 : deep;
    begins[layer] = (begins[layer - 1] ?? 0) + before + (down ? GAP.along : Math.max(GAP.along, letters * 6.2 + 40));
  });
  const least = Math.min(...[...cells.values()].map((cell) => cell.across - cell.size / 2));
  const most = Math.max(...[...cells.values()].map((cell) => cell.across + cell.size / 2));
  const pad = 12;
  const centre = (cell: Cell, layer: number): [number, number] => {
    const row = rows[layer] ?? [];
    const a = pad + (begins[layer] ?? 0) + (row.every((one) => !one.node || isEnd(one.node)) ? endHalf(down) : deep / 2);
    const b = pad + cell.across - least;
    return down ? [b, a] : [a, b];
  };
  const nodes: Placed[] = [];
  rows.forEach((row, layer) => row.forEach((cell, order) => {
    if (!cell.node) return;
    const [x, y] = centre(cell, layer);
    nodes.push({ node: cell.node, x, y, layer, order });
  }));
  const half = down ? BOX.height / 2 : BOX.width / 2;
  const ways = chains.map(({ edge, chain }) => {
    const first = layers.get(edge.from) ?? 0;
    const points = chain.flatMap((id, at): [number, number][] => {
      const cell = cells.get(id) as Cell;
      const [x, y] = centre(cell, first + at);
      // Straight as far as boxes stand beside it.
      if (!cell.node) return down ? [[x, y - half], [x, y + half]] : [[x - half, y], [x + half, y]];
      const shift = (at === 0 ? 1 : -1) * (isEnd(cell.node) ? endHalf(down) : half);
      return [down ? [x, y + shift] : [x + shift, y]];
    });
    return { edge, points };
  });
  const lastRow = rows.at(-1) ?? [];
  const length = pad * 2 + (begins.at(-1) ?? 0) + (lastRow.every((one) => !one.node || isEnd(one.node)) ? endHalf(down) * 2 : deep);
  const breadth = pad * 2 + most - least;
  return { nodes, ways, width: down ? breadth : length, height: down ? length : breadth, down };
}

export const isEnd = (node: Node): boolean => node.type === "Start" || node.type === "End";
/// Half the length of the small boxes of Start and End.
export const END_BOX = { width: 92, height: 36 };
const endHalf = (down: boolean) => (down ? END_BOX.height : END_BOX.width) / 2;

function layerOf(graph: Graph): Map<string, number> {
  const layers = new Map(graph.nodes.map((node) => [node.id, 0]));
  // A circle, which the daemon refuses, must not hang the page: no way is longer than there are nodes.
  for (let turn = 0; turn < graph.nodes.length; turn += 1) {
    let moved = false;
    for (const edge of graph.edges) {
      const wanted = Math.min(graph.nodes.length, (layers.get(edge.from) ?? 0) + 1);
      if ((layers.get(edge.to) ?? 0) < wanted) {
        layers.set(edge.to, wanted);
        moved = true;
      }
    }
    if (!moved) break;
  }
  const used = [...new Set(layers.values())].sort((a, b) => a - b);
  for (const [id, layer] of layers) layers.set(id, used.indexOf(layer));
  return layers;
}

function sortRows(rows: Cell[][], cells: Map<string, Cell>): void {
  const orders = () => {
    const order = new Map<string, number>();
    for (const row of rows) row.forEach((cell, at) => order.set(cell.id, row.length > 1 ? at / (row.length - 1) : 0.5));
    return order;
  };
  const middle = (ids: string[], order: Map<string, number>, own: number) => {
    const known = ids.filter((id) => cells.has(id)).map((id) => order.get(id) ?? own);
    return known.length > 0 ? known.reduce((sum, one) => sum + one, 0) / known.length : own;
  };
  for (let turn = 0; turn < 4; turn += 1) {
    const forward = turn % 2 === 0;
    const list = forward ? rows.slice(1) : rows.slice(0, -1).reverse();
    for (const row of list) {
      const order = orders();
      const weight = new Map(row.map((cell) => [cell, middle(forward ? cell.before : cell.after, order, order.get(cell.id) ?? 0.5)]));
      row.sort((a, b) => (weight.get(a) ?? 0) - (weight.get(b) ?? 0));
    }
  }
}

/// Every row centred, then pulled towards what it hangs on, as far as its neighbours leave room.
function place(rows: Cell[][], cells: Map<string, Cell>): void {
  for (const row of rows) {
    const sum = row.reduce((all, cell) => all + cell.size, 0) + GAP.across * (row.length - 1);
    let at = -sum / 2;
    for (const cell of row) {
      cell.across = at + cell.size / 2;
      at += cell.size + GAP.across;
    }
  }
  for (let turn = 0; turn < 6; turn += 1) {
    for (const row of turn % 2 ? [...rows].reverse() : rows) {
      const wishes = row.map((cell) => {
        const near = [...cell.before, ...cell.after].map((id) => cells.get(id)?.across ?? 0);
        return near.length > 0 ? near.reduce((sum, one) => sum + one, 0) / near.length : cell.across;
      });
      row.forEach((cell, at) => (cell.across = wishes[at] as number));
      // Pushed apart from the middle outwards, so that the row stays where it wants to be.
      const space = (a: Cell, b: Cell) => (a.size + b.size) / 2 + GAP.across;
      const centre = (row.length - 1) / 2;
      for (let at = Math.ceil(centre); at < row.length - 1; at += 1) {
        const [one, next] = [row[at] as Cell, row[at + 1] as Cell];
        next.across = Math.max(next.across, one.across + space(one, next));
      }
      for (let at = Math.ceil(centre); at > 0; at -= 1) {
        const [one, before] = [row[at] as Cell, row[at - 1] as Cell];
        before.across = Math.min(before.across, one.across - space(before, one));
      }
      const drift = row.reduce((sum, cell, at) => sum + cell.across - (wishes[at] as number), 0) / row.length;
      for (const cell of row) cell.across -= drift;
    }
  }
}

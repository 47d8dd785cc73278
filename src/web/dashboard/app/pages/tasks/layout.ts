// Where the activities of a graph stand: layers from Start to End, in an order with few crossings.
//
// What was carried out in one attempt stands together within its layer, so that a frame can be drawn around it.
export interface Node {
  id: string;
  needs: readonly string[];
  /// What was carried out together has the same.
  group: string | null;
}

export interface Placed {
  id: string;
  layer: number;
  place: number;
}

export interface Layout {
  nodes: Map<string, Placed>;
  /// Ids in their order, places of passing edges included.
  layers: string[][];
  /// `through`: the places in the layers between, where an edge passes.
  edges: { from: string; to: string; through: string[] }[];
}

export const START = "\u0000start";
export const END = "\u0000end";
/// A place where an edge passes between activities.
export const isPassage = (id: string): boolean => id.startsWith("\u0001");

export function layOut(given: readonly Node[]): Layout {
  const known = new Set(given.map((node) => node.id));
  const needs = new Map<string, string[]>([[START, []]]);
  for (const node of given) {
    const real = node.needs.filter((id) => known.has(id));
    needs.set(node.id, real.length > 0 ? real : [START]);
  }
  const followed = new Set([...needs.values()].flat());
  const last = given.map((node) => node.id).filter((id) => !followed.has(id));
  needs.set(END, last.length > 0 ? last : [START]);

  // The longest way from Start. A graph of the daemon has no circles; a broken one must not hang the page.
  const layerOf = new Map<string, number>();
  const depth = (id: string, seen: ReadonlySet<string>): number => {
    const there = layerOf.get(id);
    if (there !== undefined) return there;
    if (seen.has(id)) return 0;
    const before = needs.get(id) ?? [];
    const inner = new Set(seen).add(id);
    const layer = before.length === 0 ? 0 : 1 + Math.max(...before.map((one) => depth(one, inner)));
    layerOf.set(id, layer);
    return layer;
  };
  for (const id of needs.keys()) depth(id, new Set());

  const layers: string[][] = [];
  for (const id of [START, ...given.map((node) => node.id), END]) {
    const layer = layerOf.get(id) ?? 0;
    while (layers.length <= layer) layers.push([]);
    layers[layer]?.push(id);
  }
  // An edge that skips layers gets a place of its own in each of them, so that it runs between the activities.
  const edges: Layout["edges"] = [];
  for (const [to, before] of [...needs]) {
    const lead = before.map((from) => {
      const through: string[] = [];
      let last = from;
      for (let layer = (layerOf.get(from) ?? 0) + 1; layer < (layerOf.get(to) ?? 0); layer += 1) {
        const passage = `\u0001${from}\u0001${to}\u0001${layer}`;
        layers[layer]?.push(passage);
        needs.set(passage, [last]);
        through.push(passage);
        last = passage;
      }
      edges.push({ from, to, through });
      return last;
    });
    needs.set(to, lead);
  }
  const group = new Map(given.map((node) => [node.id, node.group ?? node.id]));
  const followers = new Map<string, string[]>();
  for (const [to, before] of needs) for (const from of before) followers.set(from, [...(followers.get(from) ?? []), to]);
  const place = new Map<string, number>();
  const number = (layer: string[]) => layer.forEach((id, at) => place.set(id, at - (layer.length - 1) / 2));
  layers.forEach(number);
  const settle = (layer: string[], beside: (id: string) => string[]) => {
    const middle = new Map(layer.map((id) => {
      const near = beside(id);
      return [id, near.length === 0 ? (place.get(id) ?? 0) : near.reduce((sum, other) => sum + (place.get(other) ?? 0), 0) / near.length];
    }));
    const together = new Map<string, number[]>();
    for (const id of layer) {
      const name = group.get(id) ?? id;
      together.set(name, [...(together.get(name) ?? []), middle.get(id) ?? 0]);
    }
    const mean = (id: string) => {
      const all = together.get(group.get(id) ?? id) ?? [0];
      return all.reduce((sum, one) => sum + one, 0) / all.length;
    };
    const order = new Map(layer.map((id, at) => [id, at]));
    layer.sort((a, b) => mean(a) - mean(b)
      || (group.get(a) ?? a).localeCompare(group.get(b) ?? b)
      || (middle.get(a) ?? 0) - (middle.get(b) ?? 0)
      || (order.get(a) ?? 0) - (order.get(b) ?? 0));
    number(layer);
  };
  for (let round = 0; round < 3; round += 1) {
    for (const layer of layers.slice(1)) settle(layer, (id) => needs.get(id) ?? []);
    for (const layer of [...layers].reverse().slice(1)) settle(layer, (id) => followers.get(id) ?? []);
  }
  for (const layer of layers.slice(1)) settle(layer, (id) => needs.get(id) ?? []);

  const nodes = new Map<string, Placed>();
  layers.forEach((layer, at) => layer.forEach((id, where) => nodes.set(id, { id, layer: at, place: where })));
  return { nodes, layers, edges };
}

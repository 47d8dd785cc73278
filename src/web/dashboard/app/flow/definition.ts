// A workflow definition while it is worked on: plain data, and what can be done to its activities. Nothing here changes
// what it was given; every deed answers a new definition, which is what makes undoing simple.
import type { Table, Value } from "./toml.ts";

export interface Activity extends Table {
  id: string;
  type: string;
}

export type Definition = Table;

export const isTable = (value: unknown): value is Table => typeof value === "object" && value !== null && !Array.isArray(value);

/// Types of activities in the order of menus.
export const TYPES = ["transcode", "snapshot", "cover", "dynamic_image", "analysis", "qc", "review", "hook", "moderation", "recognition", "content_analysis", "copy", "noop"] as const;

const isEdge = (type: unknown): boolean => typeof type === "string" && ["start", "end"].includes(type.toLowerCase());

/// Everything that stands in `activity` and is one, explicit Start and End nodes left out.
export function activitiesOf(definition: Definition): Activity[] {
  const list = Array.isArray(definition.activity) ? definition.activity : [];
  return list.filter((one): one is Activity => isTable(one) && typeof one.id === "string" && !isEdge(one.type)).map((one) => (typeof one.type === "string" ? one : { ...one, type: "noop" }));
}

export const needsOf = (activity: Table): string[] => (Array.isArray(activity.needs) ? activity.needs.filter((need): need is string => typeof need === "string") : []);

/// Ids of explicit Start nodes: to need one is to need nothing.
function starts(definition: Definition): Set<string> {
  const list = Array.isArray(definition.activity) ? definition.activity : [];
  return new Set(list.filter((one): one is Table => isTable(one) && String(one.type).toLowerCase() === "start").map((one) => String(one.id)));
}

export interface Node {
  id: string;
  /// Start, End, or the type of the activity.
  type: string;
  optional: boolean;
  /// Second line of its box.
  note?: string;
}

export interface Edge {
  from: string;
  to: string;
  when: string;
}

export interface Graph {
  nodes: Node[];
  edges: Edge[];
}

/// Names of the two ends in graphs; an activity may have either word for its id, so these are none.
export const START = "\u0000start";
export const END = "\u0000end";

/// The graph of a definition, as the daemon draws it: what needs nothing follows Start, what nothing needs leads to End.
export function graphOf(definition: Definition): Graph {
  const activities = activitiesOf(definition);
  const known = new Set(activities.map((one) => one.id));
  const none = starts(definition);
  const nodes: Node[] = [{ id: START, type: "Start", optional: false }];
  const edges: Edge[] = [];
  const followed = new Set<string>();
  for (const one of activities) {
    nodes.push({ id: one.id, type: one.type, optional: one.optional === true, note: noteOf(one) });
    const needs = needsOf(one).filter((need) => known.has(need) && !none.has(need));
    if (needs.length === 0) edges.push({ from: START, to: one.id, when: "always" });
    for (const need of needs) {
      followed.add(need);
      edges.push({ from: need, to: one.id, when: typeof one.when === "string" ? one.when : "success" });
    }
  }
  nodes.push({ id: END, type: "End", optional: false });
  const last = activities.filter((one) => !followed.has(one.id));
  for (const one of last) edges.push({ from: one.id, to: END, when: "always" });
  if (activities.length === 0) edges.push({ from: START, to: END, when: "always" });
  return { nodes, edges };
}

/// What a node's box says besides its name: its template, or the heights of its renditions.
function noteOf(activity: Activity): string | undefined {
  if (typeof activity.template === "string") return activity.template;
  const names = (Array.isArray(activity.group) ? activity.group : [])
    .flatMap((group) => (isTable(group) && Array.isArray(group.output) ? group.output : []))
    .map((output) => (isTable(output) ? String(output.name ?? "") : ""));
  if (names.length > 0) return [...new Set(names)].filter(Boolean).join(" · ");
  const word = activity.mode ?? activity.format ?? activity.exec ?? activity.url ?? activity.storage;
  return typeof word === "string" ? word : undefined;
}

/// Every activity that comes after one, directly or not, in the order of the definition.
export function successors(definition: Definition, id: string): string[] {
  const gone = new Set<string>();
  const activities = activitiesOf(definition);
  for (let before = -1; before !== gone.size; ) {
    before = gone.size;
    for (const one of activities) if (!gone.has(one.id) && needsOf(one).some((need) => need === id || gone.has(need))) gone.add(one.id);
  }
  gone.delete(id);
  return activities.map((one) => one.id).filter((one) => gone.has(one));
}

const listOf = (definition: Definition): Value[] => (Array.isArray(definition.activity) ? definition.activity : []);
const withList = (definition: Definition, activity: Value[]): Definition => ({ ...definition, activity });

/// A name that no activity has: the wish, or the wish with a number.
export function freeId(definition: Definition, wish: string): string {
  const taken = new Set(activitiesOf(definition).map((one) => one.id));
  if (!taken.has(wish)) return wish;
  for (let number = 2; ; number += 1) if (!taken.has(`${wish}-${number}`)) return `${wish}-${number}`;
}

export type Spot = { after: string } | { beside: string } | { between: [string, string] };

/// Puts an activity into the graph: after another, beside it (following the same), or on the way between two.
export function add(definition: Definition, activity: Activity, spot: Spot): Definition {
  const list = [...listOf(definition)];
  const place = (id: string) => list.findIndex((one) => isTable(one) && one.id === id);
  if ("beside" in spot) {
    const other = list[place(spot.beside)];
    const needs = isTable(other) ? needsOf(other) : [];
    list.splice(place(spot.beside) + 1, 0, { ...common(activity, needs) });
    return withList(definition, list);
  }
  const from = "after" in spot ? spot.after : spot.between[0];
  const needs = from === START ? [] : [from];
  list.splice(from === START ? ("after" in spot ? list.length : 0) : place(from) + 1, 0, common(activity, needs));
  if ("between" in spot && spot.between[1] !== END) {
    const to = spot.between[1];
    const at = place(to);
    const next = list[at];
    if (isTable(next)) {
      const before = needsOf(next);
      const changed = from === START ? [activity.id] : before.map((need) => (need === from ? activity.id : need));
      list[at] = withNeeds(next, changed);
    }
  }
  return withList(definition, list);
}

/// Keys in the order people write them: what it is, what it follows, then the rest.
function common(activity: Activity, needs: string[]): Activity {
  const { id, type, needs: _, ...rest } = activity;
  return { id, type, ...(needs.length > 0 ? { needs } : {}), ...rest } as Activity;
}

export const withNeeds = (activity: Table, needs: string[]): Activity => common(activity as Activity, needs);

export function replace(definition: Definition, id: string, activity: Activity): Definition {
  const renamed = activity.id !== id;
  const list = listOf(definition).map((one) => {
    if (!isTable(one)) return one;
    if (one.id === id) return activity;
    return renamed ? renameIn(one, id, activity.id) : one;
  });
  return withList(definition, list);
}

/// What names an activity names it by its new id.
function renameIn(one: Table, from: string, to: string): Table {
  const next = { ...one };
  for (const key of ["needs", "outputs_of"]) {
    const list = next[key];
    if (Array.isArray(list)) next[key] = list.map((name) => (name === from ? to : name));
  }
  if (typeof next.when === "string") {
    next.when = next.when.split(`results["${from}"]`).join(`results["${to}"]`).replace(new RegExp(`\\bresults\\.${from.replace(/[^\w]/g, "\\$&")}\\b`, "g"), `results["${to}"]`);
  }
  return next;
}

/// Takes activities out.
export function remove(definition: Definition, ids: string[]): Definition {
  const gone = new Set(ids);
  const list = listOf(definition).filter((one) => !(isTable(one) && gone.has(String(one.id))));
  const rest = list.map((one) => (isTable(one) && Array.isArray(one.outputs_of) ? { ...one, outputs_of: one.outputs_of.filter((name) => !gone.has(String(name))) } : one));
  return withList(definition, rest);
}

export function find(definition: Definition, id: string): Activity | undefined {
  return activitiesOf(definition).find((one) => one.id === id);
}

/// Sets a key, or takes it away (undefined); tables that end up empty stay.
export function set(table: Table, key: string, value: Value | undefined): Table {
  if (value === undefined) {
    const { [key]: _, ...rest } = table;
    return rest;
  }
  return { ...table, [key]: value };
}

/// Keys that people write first, in this order; the daemon's answers have them in that of the alphabet.
const FIRST = ["name", "description", "enabled", "success", "id", "type", "needs", "when", "template", "optional", "backend", "storage", "library", "prefix", "path", "kind", "container", "mode", "codec", "width", "height", "preset", "source", "output", "callback", "activity"];

/// The same with its keys in the order that people write them.
export function tidy<V extends Value>(value: V): V {
  if (Array.isArray(value)) return value.map(tidy) as V;
  if (!isTable(value)) return value;
  const rank = (key: string) => (FIRST.indexOf(key) + 1 || FIRST.length + 1);
  const entries = Object.entries(value).sort(([a], [b]) => rank(a) - rank(b));
  return Object.fromEntries(entries.map(([key, inner]) => [key, tidy(inner)])) as V;
}

/// A definition without what says the same as saying nothing.
export function terse(definition: Definition): Definition {
  const usual: Record<string, Value> = { library: false, existing: "ignore", on_conflict: "version", also_unified: false, prefix: "" };
  const next = { ...definition };
  if (next.success === "all") delete next.success;
  for (const name of ["source", "output", "callback"]) {
    const table = next[name];
    if (!isTable(table)) continue;
    const kept = Object.fromEntries(Object.entries(table).filter(([key, value]) => usual[key] !== value || (name === "output" && key === "prefix")));
    if (Object.keys(kept).length > 0 || name === "source") next[name] = kept;
    else delete next[name];
  }
  return next;
}

// The description of definitions that the daemon gives (GET schemas/NOUN), as forms read it. `x-` keywords are the
// daemon's own: see the address in its documentation.
import { useEffect, useState } from "preact/hooks";
import { get } from "../api.ts";
import { isTable } from "./definition.ts";
import type { Table, Value } from "./toml.ts";

export interface Schema {
  $ref?: string;
  title?: string;
  description?: string;
  type?: string | string[];
  enum?: Value[];
  const?: Value;
  default?: Value;
  minimum?: number;
  maximum?: number;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  pattern?: string;
  examples?: Value[];
  items?: Schema;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  "x-unit"?: string;
  "x-choices"?: { value: string; help: string }[];
  "x-when"?: Record<string, string[]>;
  "x-by"?: Record<string, Record<string, Partial<Schema>>>;
  "x-needs"?: string[];
  "x-without"?: string[];
  "x-usual"?: Value;
  "x-form"?: string;
  "x-names"?: string[];
  "x-secret"?: boolean;
  "x-required-when"?: Record<string, string[]>;
}

export interface Root extends Schema {
  $defs: Record<string, Schema>;
}

const kept = new Map<string, Promise<Root>>();

export function loadSchema(noun: "workflow" | "template"): Promise<Root> {
  const known = kept.get(noun) ?? get<Root>(`schemas/${noun}`);
  kept.set(noun, known);
  known.catch(() => kept.delete(noun));
  return known;
}

export function useSchema(noun: "workflow" | "template"): { root: Root | null; error: unknown; retry: () => void } {
  const [state, setState] = useState<{ root: Root | null; error: unknown }>({ root: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    loadSchema(noun).then((root) => setState({ root, error: null }), (error: unknown) => setState({ root: null, error }));
  }, [noun, turn]);
  return { ...state, retry: () => setTurn(turn + 1) };
}

/// What a reference leads to, with what stands beside it.
export function deref(root: Root, schema: Schema): Schema {
  if (!schema.$ref) return schema;
  const name = schema.$ref.replace("#/$defs/", "");
  const { $ref: _, ...beside } = schema;
  return { ...(root.$defs[name] ?? {}), ...beside };
}

/// What holds of a key: what is written, else what a template says, else the default.
export function effective(key: string, schema: Schema | undefined, value: Table, inherited: Table | undefined): Value | undefined {
  return value[key] ?? inherited?.[key] ?? schema?.default ?? schema?.["x-usual"];
}

/// The keywords of a key with those that another key's word brings.
export function bent(schema: Schema, table: Schema, value: Table, inherited: Table | undefined): Schema {
  let result = schema;
  for (const [beside, words] of Object.entries(schema["x-by"] ?? {})) {
    const word = effective(beside, table.properties?.[beside], value, inherited);
    const more = typeof word === "string" ? words[word] : undefined;
    if (more) result = { ...result, ...more };
  }
  return result;
}

/// Whether a key means something beside the others. What is written is shown always, so that it can be taken away.
export function applies(key: string, schema: Schema, table: Schema, value: Table, inherited: Table | undefined): boolean {
  if (value[key] !== undefined) return true;
  const of = (beside: string) => effective(beside, table.properties?.[beside], value, inherited);
  const has = (beside: string) => value[beside] !== undefined && value[beside] !== false && value[beside] !== "";
  for (const [beside, words] of Object.entries(schema["x-when"] ?? {})) {
    const word = of(beside);
    if (!words.includes(String(word))) return false;
  }
  if (schema["x-without"]?.some(has)) return false;
  if (schema["x-needs"]?.some((beside) => !has(beside) && inherited?.[beside] === undefined)) return false;
  return true;
}

export function isRequired(key: string, schema: Schema, table: Schema, value: Table, inherited: Table | undefined): boolean {
  if (table.required?.includes(key)) return true;
  return Object.entries(schema["x-required-when"] ?? {}).some(([beside, words]) => words.includes(String(effective(beside, table.properties?.[beside], value, inherited))));
}

export type Kind = "flag" | "choice" | "number" | "text" | "choices" | "words" | "tables" | "table" | "any" | "object";

export function kindOf(root: Root, schema: Schema): Kind {
  if (schema.anyOf) return "any";
  const whole = deref(root, schema);
  if (whole.type === "object") return whole.properties ? "table" : "object";
  if (whole.type === "boolean") return "flag";
  if (whole.type === "array") {
    const items = deref(root, whole.items ?? {});
    if (items.type === "object") return "tables";
    return items.enum ? "choices" : "words";
  }
  if (whole.enum) return "choice";
  if (whole.type === "integer" || whole.type === "number") return "number";
  return "text";
}

/// A new table of this form: what must be there, at its default or first word.
export function fresh(root: Root, schema: Schema): Table {
  const table = deref(root, schema);
  const made: Table = {};
  for (const key of table.required ?? []) {
    const own = deref(root, table.properties?.[key] ?? {});
    const value = own.const ?? own.default ?? own.enum?.[0] ?? (own.type === "array" ? [] : undefined);
    if (value !== undefined) made[key] = value;
  }
  return made;
}

export interface Finding {
  activity: string | null;
  path: string;
  line: number | null;
  why: string;
}

export const asTable = (value: Value | undefined): Table | undefined => (isTable(value) ? value : undefined);

// A workflow as the REST API shows it.
import type { Table } from "../../flow/toml.ts";

export interface Workflow {
  id: string;
  created_at: string;
  modified_at: string;
  status: "enabled" | "disabled";
  name: string;
  description: string;
  origin: "file" | "api" | "preset";
  enabled: boolean;
  version: number;
  source: { kind: "library" | "storage"; storage: string | null; prefix: string; trigger: "automatic" | "manual" };
  output: { storage: string | null; prefix: string | null };
}

export interface WorkflowGraph {
  nodes: { id: string; type: string; optional: boolean }[];
  edges: { from: string; to: string; when: string }[];
}

export interface Whole extends Workflow {
  /// TOML.
  definition: string;
  graph: WorkflowGraph;
  /// Templates merged and presets expanded.
  resolved: { activities?: { id: string; kind: string; template: string | null; parameters: Table }[] } | null;
}

export interface Version {
  id: string;
  version: number;
  created_at: string;
  newest: boolean;
  name: string;
}

export interface Trial {
  workflow: string;
  version: number;
  object: string;
  exists: boolean;
  size_bytes: number | null;
  matches: boolean;
  why: string;
  trigger: string;
  arrival: string | null;
  media: string | null;
  facts_known: boolean;
  activities: { id: string; type: string; runs: "yes" | "no" | "depends"; why: string | null }[];
  outputs: { activity: string; group: string; name: string; object: string; pattern: string | null; perhaps: boolean; standing: { size_bytes: number | null } | null; conflict: string; published_as: string | null }[];
  passes: { turn: number; activities: string[]; heavy: boolean }[];
  destinations: { kind: string; to: string | null; profile: string | null }[];
  unknown: string[];
  task: { id: string; status: string } | null;
}

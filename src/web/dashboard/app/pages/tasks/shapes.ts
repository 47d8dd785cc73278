// What the daemon tells of tasks, as far as these pages show it.
import type { Members } from "../media/members.tsx";

export interface Task {
  id: string;
  created_at: string;
  status: string;
  workflow: { id: string; name: string; version: number };
  media: { id: string; object: string; size_bytes: number };
  trigger: string;
  user_data: string | null;
  priority: number;
  intent: string | null;
  runs: number;
  started_at: string | null;
  ended_at: string | null;
}

export interface Activity {
  id: string;
  type: string;
  needs: string[];
  optional: boolean;
  when?: string | null;
  template: string | null;
  parameters: Record<string, unknown>;
}

export interface Fault {
  code: string;
  operation: string;
  subject: string;
  cause: string;
  remedy: string;
  blame?: string;
  retryable?: boolean;
}

export interface JobProgress {
  percent: number;
  frames: number;
  fps: number;
  speed: number;
  eta_s: number | null;
  backend: "gpu" | "software";
  device: string | null;
}

export interface JobResult {
  backend?: string;
  fallback_reason?: string;
  dropped?: string[];
  warnings?: string[];
  [name: string]: unknown;
}

export interface Job {
  id: string;
  created_at: string;
  status: string;
  activity: string;
  type: string;
  tries: number;
  attempt: string | null;
  progress: JobProgress | null;
  fault: Fault | null;
  skip_reason: string | null;
  result: JobResult | null;
  ready_at: string | null;
  next_try_at: string | null;
  waits: string | null;
  started_at: string | null;
  ended_at: string | null;
}

export interface Attempt {
  id: string;
  created_at: string;
  status: string;
  number: number;
  jobs: string[];
  threads: number;
  device: string | null;
  ended_at: string | null;
  outcome: string | null;
  fault: Fault | null;
  cost: { wall_ms?: number; cpu_ms?: number; read_bytes?: number; peak_memory_bytes?: number } | null;
}

export interface Check {
  name: string;
  expected: string;
  found: string;
  ok: boolean;
}

export interface Output {
  id: string;
  created_at: string;
  status: string;
  job: string;
  group: string;
  name: string;
  kind: string;
  object: string;
  size_bytes: number;
  md5: string | null;
  detail: { proof?: { checks?: Check[] }; [name: string]: unknown } | null;
  file_count: number;
  url: string | null;
}

export interface Event {
  id: string;
  created_at: string;
  seq: number;
  type: string;
  task: string | null;
  media: string | null;
  job: string | null;
  body: unknown;
}

export interface Delivery {
  id: string;
  created_at: string;
  status: string;
  event: string;
  event_type: string;
  task: string;
  destination: string;
  seq: number;
  tries: number;
  replays: number;
  next_try_at: string | null;
  last_status: number | null;
  last_error: string | null;
  ended_at: string | null;
}

export interface Review {
  id: string;
  created_at: string;
  status: string;
  activity: string | null;
  instructions: string;
  auditor: string | null;
  reason: string;
  comment: string;
  due_at: string | null;
}

export interface TaskDetail extends Task {
  overrides: Record<string, unknown> | null;
  parts: Members | null;
  activities: Activity[];
  jobs: Job[];
  attempts: Attempt[];
  outputs: Output[];
  reviews: Review[];
  events: Event[];
  deliveries: Delivery[];
}

export const TASK_STATES = ["Init", "Processing", "Succeed", "Failed", "Canceled"] as const;
export const hasEnded = (task: Task): boolean => task.status === "Succeed" || task.status === "Failed" || task.status === "Canceled";
export const canRetry = (task: Task): boolean => task.status === "Failed" || task.status === "Canceled";

/// The last part of an object's key, and what stands before it.
export function objectName(object: string): { storage: string; folder: string; name: string } {
  const colon = object.indexOf(":");
  const key = object.slice(colon + 1);
  const slash = key.lastIndexOf("/", key.length - 2);
  return { storage: object.slice(0, Math.max(0, colon)), folder: key.slice(0, slash + 1), name: key.slice(slash + 1) };
}
